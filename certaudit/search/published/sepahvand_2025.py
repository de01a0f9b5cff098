"""Per-instance privacy losses (SEP25, arXiv 2505.18786; THU24): rules R4, R2 and C2."""

from __future__ import annotations

from collections.abc import Sequence

from certaudit.claims import Claim
from certaudit.core.affine import is_affine
from certaudit.search.evidence import Evidence
from certaudit.search.published.premises import Premises
from certaudit.verdict import Bound, NamedTheorem


def sepahvand_2025(evidence: Evidence, claim: Claim, bounds: Sequence[Bound]) -> NamedTheorem:
    """Premises: the expectation over the gradient norms along the run is known, which is so for ridge
    (elsewhere it is estimated from training runs, and no proof); noise at every step."""
    run = evidence.run
    premises = Premises("sepahvand-2025", run)
    text = (
        "the expected privacy loss must be known: it is for ridge without projection or clip, elsewhere "
        "it is estimated from training runs, which proves nothing"
    )
    premises.need(is_affine(run), "expectation", text)
    phases = [run.learn, *(request.unlearn for request in run.requests)]
    text = "every step must add noise"
    premises.need(all(phase.noise_variance > 0 for phase in phases), "noise", text)
    value = None
    if not premises.failed:
        value = next((bound.value for bound in bounds if bound.route.startswith("R4")), None)
    return NamedTheorem(
        "sepahvand-2025",
        "SEP25, arXiv 2505.18786, with THU24's composition (rules R4, R2)",
        value,
        tuple(premises.failed),
    )
