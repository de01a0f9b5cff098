"""Check a saved derivation again, from its leaves, in another arithmetic.

Nothing here is shared with the kernel, the search or the report: the run is read from the file, every
number is computed again by own code in integers and in ``mpmath.mpf`` at high precision, and every rule
name, text, premise and link is compared with the checker's own ledger.

``document`` reads a file; ``model`` is the run; ``fixed`` and ``spectrum`` are the arithmetic of
matrices; ``gaussian``, ``steps`` and ``conversion`` recompute the rules; ``ledger`` says what each must
look like; ``claims`` what a verdict must follow from; ``checker`` compares.
"""
