"""The trusted core: statements about a run that only these rules can make.

A :class:`~certaudit.kernel.statement.Statement` is made by a rule that checks its premises in
ball arithmetic and evaluates the very sympy formulas it prints.  Whatever is clever (orders,
splits of delta, contours, eigenvalue guesses) arrives here as a hint that can make a rule fail,
never make it wrong.  Read in this order: balls, expr, statement; spectrum, slope,
schedule, sensitivity; affine, residual, margin; iteration, renyi; conversion, optimal; law, pair,
hockey_stick; decide.
"""
