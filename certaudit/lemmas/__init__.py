"""Why the closed forms of the kernel hold: lemmas with obligations that sympy discharges.

Every lemma is about the very formula that the kernel evaluates (imported from there), or states the
step of an argument that leads to it.  Nothing here takes part in a verdict: `derive` prints the lemmas
and the tests discharge them.  :func:`certaudit.lemmas.catalogue.of_rule` finds those of a rule.
"""
