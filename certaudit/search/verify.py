"""The formal half: every claim of a run proved, refuted, or neither, with the best numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from certaudit.claims import Claim
from certaudit.core import decide
from certaudit.core.balls import precision
from certaudit.core.proof import BITS
from certaudit.core.rule import Undecided
from certaudit.core.rules import RULES
from certaudit.run import Run
from certaudit.search.evidence import Evidence, Refused
from certaudit.search.published import THEOREMS
from certaudit.search.routes import ROUTES
from certaudit.verdict import Bound, ClaimVerdict, FailedPremise, Status


def verify(evidence: Evidence, claims: Sequence[Claim]) -> tuple[ClaimVerdict, ...]:
    """Verdicts of the formal half on the claims of ``evidence.run``, one a claim, in order.

    A claim about the model released after some of the requests is judged on the run that stops there.
    """
    stages = {len(evidence.run.requests): evidence}
    verdicts = []
    with precision(BITS), np.errstate(all="ignore"):
        for claim in claims:
            after = claim.after or len(evidence.run.requests)
            if after not in stages:
                stages[after] = Evidence(evidence.proof.run.after(after))
            verdicts.append(verify_claim(stages[after], claim))
    return tuple(verdicts)


def verify_claim(evidence: Evidence, claim: Claim) -> ClaimVerdict:
    """Verdict of the formal half on one claim about ``evidence.run``."""
    try:
        found, bounds = ROUTES[claim.kind](evidence, claim)
    except (ValueError, OverflowError, np.linalg.LinAlgError) as error:
        evidence.note(Undecided("precision", f"the numbers of this run are out of range ({error})"))
        found, bounds = [], []
    ordered = sorted(bounds, key=lambda b: (b.value is None, b.value or 0))
    named = THEOREMS[claim.theorem](evidence, claim, ordered) if claim.theorem else None
    candidates = [line for bound in ordered for line in bound.lines] + found
    status = Status.REFUTED
    decided = decide.refute(evidence.proof, claim, candidates)
    if decided is None:
        decided = decide.prove(evidence.proof, claim, candidates)
        status = Status.PROVED
    failed = (*(named.failed if named else ()), *_broken(evidence, ordered))
    if decided is None:
        status = Status.PREMISE_FAILED if failed else Status.NOT_PROVED
    return ClaimVerdict(
        claim=claim,
        status=status,
        proof=evidence.proof,
        decided_by=decided or (),
        bounds=tuple(ordered),
        failed=failed,
        named=named,
        notes=(*_notes(ordered), *_leak(evidence.run)),
        skipped=tuple(_skipped(one) for one in evidence.refusals.values()),
    )


def _skipped(one: Refused) -> str:
    title = f" ({RULES[one.rule].title})" if one.rule in RULES else ""
    return f"{one.rule}{title}: {one.reason}"


def _broken(evidence: Evidence, bounds: Sequence[Bound]) -> list[FailedPremise]:
    """Premises that kept every route from a number; the exact tier needs no contraction."""
    if evidence.exact:
        return []
    return [
        FailedPremise(one.rule, one.failed)
        for one in evidence.refusals.values()
        if one.failed is not None and (one.rule == "contraction" or not bounds)
    ]


def _notes(bounds: Sequence[Bound]) -> tuple[str, ...]:
    exact = next((b for b in bounds if b.route == "exact tier" and b.value), None)
    published = next((b for b in bounds if b is not exact and b.value), None)
    if exact is None or published is None or exact.quantity == "mu":
        return ()
    assert exact.value is not None
    assert published.value is not None
    ratio = float(published.value / exact.value)
    return (f"{published.route} gives {ratio:.3g} times the exact value",)


def _leak(run: Run) -> tuple[str, ...]:
    """What a reference with another noise than the run's does and does not protect."""
    own = [request.unlearn.noise_variance for request in run.requests]
    other = run.reference.unlearn_variance
    outputs = run.output_noise("P") == run.output_noise("Q")
    if outputs and (other is None or all(other == variance for variance in own)):
        return ()
    return (
        "the reference uses another noise level than the run: if the level was calibrated to the "
        "removed point, it tells about that point",
    )
