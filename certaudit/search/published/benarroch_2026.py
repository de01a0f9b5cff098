"""Per-instance certificates for ridge under Langevin dynamics (BAC26, arXiv 2602.15602)."""

from __future__ import annotations

from collections.abc import Sequence

from certaudit.claims import Claim
from certaudit.core.rule import Premise
from certaudit.run import WORLDS
from certaudit.search.evidence import Evidence
from certaudit.search.published.premises import Premises
from certaudit.verdict import Bound, FailedPremise, NamedTheorem


def benarroch_2026(evidence: Evidence, claim: Claim, bounds: Sequence[Bound]) -> NamedTheorem:
    """In repaired form, rules S3 and I1.  Premises: ridge loss, no projection, no clip, a normalizer
    that deletion leaves alone, contracting steps."""
    run = evidence.run
    premises = Premises("benarroch-2026", run)
    text = f"the residual must be Gaussian: ridge loss; the run has {run.loss}"
    premises.need(run.loss == "ridge", "loss", text)
    whole = run.projection is None and run.clip is None
    premises.need(whole, "affine", "no projection and no clip")
    fixed = run.normalizer != "current"
    premises.need(fixed, "normalizer", "the normalizer must not change on deletion")
    for world in WORLDS:
        evidence.steps(world)
    broken: list[Premise] = [
        refusal.failed
        for refusal in evidence.refusals.values()
        if refusal.failed is not None and refusal.rule == "contraction"
    ]
    failed = [*premises.failed, *(FailedPremise("benarroch-2026", premise) for premise in broken)]
    value = None
    if not failed:
        value = next((bound.value for bound in bounds if bound.route.startswith("S3")), None)
    return NamedTheorem("benarroch-2026", "BAC26, arXiv 2602.15602", value, tuple(failed))
