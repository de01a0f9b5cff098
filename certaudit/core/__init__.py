"""The trusted core: rules that check a witness, and the proofs made of them.

A rule takes a run, the statements it builds on and a witness, and returns a statement or refuses with
the number that failed.  Witnesses come from ``certaudit.search`` and may be nonsense: they can make a
rule refuse, never lie.  Read in this order: balls, term, statement, rule, proof, decide; then rules/.
Imports python-flint and the standard library only.
"""
