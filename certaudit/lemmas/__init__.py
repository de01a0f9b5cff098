"""Why the formulas of the core hold: lemmas with obligations that sympy discharges.

One module a rule, of the rule's name, one for each module of formulas that rules share (``affine``,
``diagonal``, ``gaussian``, ``slope``), one for each loss; each holds ``LEMMAS``.  They are about the
very formulas that are evaluated, or state a step of the argument that leads to them; a rule's ``FACTS``
name what it asks of the loss.  Nothing here takes part in a verdict: `derive` prints the lemmas and the
tests discharge them.
"""
