"""Certified removal (GUO20, arXiv 1911.03030): one Newton step on a perturbed objective."""

from __future__ import annotations

from collections.abc import Sequence

from certaudit.claims import Claim
from certaudit.search.evidence import Evidence
from certaudit.search.published.premises import Premises
from certaudit.verdict import Bound, NamedTheorem


def guo_2020(evidence: Evidence, claim: Claim, bounds: Sequence[Bound]) -> NamedTheorem:
    """Its premise is another mechanism: exact minimization of a randomly tilted objective and a Newton
    step for each removal.  No run of noisy gradient steps satisfies it."""
    premises = Premises("guo-2020", evidence.run)
    text = (
        "the theorem is about Newton steps on an objective with a random linear term; "
        "this run takes noisy gradient steps"
    )
    premises.need(False, "mechanism", text)
    return NamedTheorem("guo-2020", "GUO20, arXiv 1911.03030", None, tuple(premises.failed))
