"""The formal half: every claim of a run proved, refuted, or neither, with the best numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.kernel import decide
from certaudit.kernel.balls import ball, lower, precision, upper
from certaudit.kernel.conversion import (
    gaussian_delta,
    hockey_stick_of_gaussian,
    renyi_of_gaussian,
)
from certaudit.kernel.pair import exact_renyi
from certaudit.kernel.residual import exceedance
from certaudit.kernel.sensitivity import shift_at
from certaudit.kernel.statement import NotApplicable, Statement, Undecided
from certaudit.prove.adaptive import best_order, float_composition
from certaudit.prove.evidence import BITS, Evidence, GaussianBound
from certaudit.prove.exact import ExactEpsilon, ExactPair
from certaudit.prove.orders import epsilon_range
from certaudit.prove.published import THEOREMS
from certaudit.prove.tangent import epsilon_by_tangent
from certaudit.run import Run
from certaudit.verdict import Bound, ClaimVerdict, FailedPremise, Status

SHARES = (Fraction(1, 2), Fraction(1, 10))
MOST_COVER = 400


def verify(evidence: Evidence, claims: Sequence[Claim]) -> tuple[ClaimVerdict, ...]:
    """Verdicts of the formal half on the claims of ``evidence.run``, one a claim, in order.

    A claim about the model released after some of the requests is judged on the run that stops there.
    """
    stages = {len(evidence.run.requests): evidence}
    verdicts = []
    with precision(BITS), np.errstate(all="ignore"):
        for claim in claims:
            after = getattr(claim, "after", None) or len(evidence.run.requests)
            if after not in stages:
                stages[after] = Evidence(evidence.run.after(after))
            verdicts.append(verify_claim(stages[after], claim))
    return tuple(verdicts)


def verify_claim(evidence: Evidence, claim: Claim) -> ClaimVerdict:
    """Verdict of the formal half on one claim about ``evidence.run``."""
    try:
        found, bounds = _search(evidence, claim)
    except (ValueError, OverflowError, np.linalg.LinAlgError) as error:
        evidence.note(Undecided(f"the numbers of this run are out of range ({error})"))
        found, bounds = [], []
    ordered = sorted(bounds, key=lambda b: (b.value is None, b.value or 0))
    named = THEOREMS[claim.theorem](evidence, claim, ordered) if claim.theorem else None
    best_first = [s for bound in ordered for s in bound.statements]
    proof = decide.refute(evidence.run, claim, found + best_first)
    status = Status.REFUTED
    if proof is None:
        proof = decide.prove(evidence.run, claim, best_first + found)
        status = Status.PROVED
    broken = [FailedPremise(r.rule.id, r.failed) for r in evidence.refusals.values() if r.failed]
    failed = tuple(named.failed if named else ()) + tuple(
        f for f in broken if _matters(evidence, bounds, f)
    )
    if proof is None:
        status = Status.PREMISE_FAILED if failed else Status.NOT_PROVED
    return ClaimVerdict(
        claim=claim,
        status=status,
        proof=proof,
        bounds=tuple(ordered),
        failed=failed,
        named=named,
        notes=(*_notes(ordered), *_leak(evidence.run)),
        skipped=tuple(f"{r.rule.id} ({r.rule.title}): {r.reason}" for r in evidence.refusals.values()),
    )


def _matters(evidence: Evidence, bounds: Sequence[Bound], failed: FailedPremise) -> bool:
    """Whether a broken premise may be why a claim is not proved: the exact law needs no contraction."""
    if failed.rule == "contraction":
        return evidence.law is None
    return not (bounds or evidence.exact)


Found = tuple[list[Statement], list[Bound]]


def _search(evidence: Evidence, claim: Claim) -> Found:
    if isinstance(claim, EpsilonDelta):
        return _epsilon_delta(evidence, claim)
    if isinstance(claim, RenyiClaim):
        return _renyi(evidence, claim)
    if isinstance(claim, GaussianClaim):
        return _gaussian(evidence, claim)
    return _sensitivity(evidence, claim)


def _epsilon_delta(evidence: Evidence, claim: EpsilonDelta) -> Found:
    found: list[Statement] = []
    bounds: list[Bound] = []
    pairs = [evidence.exact[d] for d in claim.directions if d in evidence.exact]
    for pair in pairs:
        try:
            found.append(pair.decide(claim.epsilon, claim.delta))
        except (Undecided, ValueError, OverflowError) as reason:
            found += _by_renyi(evidence, pair, claim, str(reason))
    ends = _brackets(evidence, pairs, claim.delta) if claim.delta > 0 else []
    found += [end.low for end in ends if end.low is not None]
    if ends and len(ends) == len(pairs):
        bounds.append(_exact_epsilon(evidence, ends))
    for bound in _gaussian_bounds(evidence, claim.delta):
        found += [hockey_stick_of_gaussian(g, claim.epsilon) for g in bound.statements]
        converted = _convert(bound, claim.delta)
        if converted is not None:
            bounds.append(converted)
    if claim.delta > 0:
        composed = _composed_epsilon(evidence, claim.delta)
        if composed is not None:
            found += composed.statements
            bounds.append(composed)
    return found, _best_per_route(bounds)


def _composed_epsilon(evidence: Evidence, delta: Fraction) -> Bound | None:
    """R4 (decayed by R2 for the final model), converted by C3 at a good order."""
    probe = evidence.adaptive(Fraction(2))
    laws = evidence.residuals
    if not probe or laws is None:
        return None
    final = evidence.run.release == "final"
    statements = []
    for first, law in zip(probe, laws.values(), strict=True):
        shrink = float(first.ball("factor").mid()) if final else 1.0
        order = best_order(float_composition(law), shrink, delta)
        (renyi,) = (
            s for s in evidence.adaptive(order) if s.exact["directions"] == first.exact["directions"]
        )
        if not renyi.ball("r").is_finite():
            return None
        try:
            statements.append(epsilon_by_tangent(renyi, delta))
        except (ValueError, Undecided):
            return None
    value = max(s.exact["epsilon"] for s in statements)
    return Bound(f"R4 + {'R2 + ' if final else ''}C3", "epsilon", value, tuple(statements))


def _by_renyi(evidence: Evidence, pair: ExactPair, claim: EpsilonDelta, reason: str) -> list[Statement]:
    try:
        return [pair.renyi_epsilon(claim.delta)] if claim.delta > 0 else []
    except (Undecided, ValueError):
        evidence.note(Undecided(reason))
        return []


def _brackets(evidence: Evidence, pairs: Sequence[ExactPair], delta: Fraction) -> list[ExactEpsilon]:
    """The exact epsilon of every pair for which it could be bracketed."""
    ends = []
    for pair in pairs:
        try:
            ends.append(pair.epsilon(delta))
        except Undecided as reason:
            evidence.note(reason)
        except (ValueError, OverflowError) as error:
            evidence.note(Undecided(f"the numbers of this run are out of range ({error})"))
    return ends


def _exact_epsilon(evidence: Evidence, ends: Sequence[ExactEpsilon]) -> Bound:
    floors = [end.low.exact["epsilon"] for end in ends if end.low is not None]
    by_order = " by one Rényi order" if any(end.high.rule.id == "C3" for end in ends) else ""
    final_only = evidence.run.release == "every-step"
    return Bound(
        f"exact tier{by_order}" + (" (final model only)" if final_only else ""),
        "epsilon",
        None if final_only else max(end.upper for end in ends),
        tuple(s for end in ends for s in (end.high, end.low) if s is not None),
        max(floors, default=Fraction(0)),
    )


def _gaussian_bounds(evidence: Evidence, delta: Fraction) -> list[GaussianBound]:
    bounds = list(evidence.deterministic)
    for share in SHARES if delta > 0 else ():
        bound = evidence.high_probability(delta * share)
        if bound is not None:
            bounds.append(bound)
    return bounds


def _convert(bound: GaussianBound, delta: Fraction) -> Bound | None:
    """The epsilon that C5 gives at ``delta`` for every direction of the bound."""
    worst = Fraction(0)
    for statement in bound.statements:
        mu, spent = statement.ball("mu").upper(), statement.ball("delta")
        left = ball(delta) - spent
        if not left > 0 or not mu.is_finite():
            return None
        worst = max(worst, epsilon_range(mu, lower(left))[1])
    sticks = tuple(hockey_stick_of_gaussian(s, worst) for s in bound.statements)
    return Bound(bound.name + " + C5", "epsilon", worst, sticks)


def _best_per_route(bounds: Sequence[Bound]) -> list[Bound]:
    best: dict[str, Bound] = {}
    for bound in bounds:
        known = best.get(bound.route)
        if known is None or (known.value or 0) > (bound.value or 0):
            best[bound.route] = bound
    return list(best.values())


def _renyi(evidence: Evidence, claim: RenyiClaim) -> Found:
    found: list[Statement] = []
    bounds: list[Bound] = []
    pairs = [evidence.exact[d] for d in claim.directions if d in evidence.exact]
    exact = []
    for pair in pairs:
        try:
            exact.append(exact_renyi(pair.pair, claim.order))
        except Undecided as reason:
            evidence.note(reason)
    found += exact
    if exact and len(exact) == len(pairs):
        worst = max((e.ball("r") for e in exact), key=lambda r: float(r.mid()))
        finite = all(e.ball("r").is_finite() for e in exact)
        final_only = evidence.run.release == "every-step"
        bounds.append(
            Bound(
                "exact tier" + (" (final model only)" if final_only else ""),
                "renyi",
                upper(worst) if finite and not final_only else None,
                tuple(exact),
                max(lower(worst), Fraction(0)) if finite else None,
            )
        )
    for bound in evidence.deterministic:
        statements = tuple(renyi_of_gaussian(g, claim.order) for g in bound.statements)
        found += statements
        value = max((s.ball("r").upper() for s in statements), key=float)
        bounds.append(
            Bound(
                bound.name + " + R1",
                "renyi",
                upper(value) if value.is_finite() else None,
                statements,
            )
        )
    composed = evidence.adaptive(claim.order)
    if composed and all(s.ball("r").is_finite() for s in composed):
        found += composed
        route = "R4 + R2" if evidence.run.release == "final" else "R4"
        bounds.append(Bound(route, "renyi", max(upper(s.ball("r")) for s in composed), composed))
    return found, bounds


def _gaussian(evidence: Evidence, claim: GaussianClaim) -> Found:
    found: list[Statement] = []
    bounds: list[Bound] = []
    for bound in _gaussian_bounds(evidence, claim.delta):
        found += bound.statements
        tops = [s.ball("mu").upper() for s in bound.statements]
        value = max((upper(t) for t in tops), default=None) if all(t.is_finite() for t in tops) else None
        spent = all(s.ball("delta") <= ball(claim.delta) for s in bound.statements)
        if spent:
            bounds.append(Bound(bound.name, "mu", value, bound.statements))
    covers: list[Statement] = []
    for direction in claim.directions:
        pair = evidence.exact.get(direction)
        if pair is None:
            continue
        try:
            violations = _violations(pair, claim)
            found += violations
            cover = _cover(pair, claim) if claim.delta > 0 and not violations else None
        except (Undecided, ValueError, OverflowError) as reason:
            evidence.note(Undecided(str(reason)))
            continue
        if cover is not None:
            covers.append(cover)
    found += covers
    if covers and len(covers) == len(claim.directions) and evidence.run.release == "final":
        bounds.append(Bound("exact tier", "mu", claim.mu, tuple(covers)))
    return found, _best_per_route(bounds)


def _violations(pair: ExactPair, claim: GaussianClaim) -> list[Statement]:
    """Exact values that may break the claim: an infinite order, or one hockey stick too high."""
    if claim.delta == 0:
        infinite = pair.infinite_order()
        return [infinite] if infinite is not None else []
    beaten = pair.event(Fraction(0), upper(gaussian_delta(claim.mu, Fraction(0))) + claim.delta)
    if beaten is not None:
        return [beaten]
    best, worst = Fraction(0), float("-inf")
    reach = pair.twin.epsilon(float(ball(claim.delta).log()))
    for k in range(13):
        epsilon = Fraction(reach) * Fraction(k, 12)
        allowed = float(gaussian_delta(claim.mu, epsilon).mid()) + float(claim.delta)
        excess = pair.twin.log_delta(float(epsilon)) - float(ball(Fraction(allowed)).log())
        if excess > worst:
            best, worst = epsilon, excess
    return [pair.hockey_stick(best)] if worst > 0 else []


def _cover(pair: ExactPair, claim: GaussianClaim) -> Statement | None:
    level, sticks = Fraction(0), []
    slack = ball(claim.delta)
    for _ in range(MOST_COVER):
        stick = pair.hockey_stick(level)
        sticks.append(stick)
        value = stick.ball("delta")
        if value <= slack:
            return decide.gaussian_cover(sticks, claim.mu, claim.delta)
        target = lower(value.upper() - slack)
        if claim.mu == 0 or target <= 0:
            return None
        further = epsilon_range(ball(claim.mu), target)[0]
        if further <= level:
            return None
        level = further
    return None


def _sensitivity(evidence: Evidence, claim: SensitivityClaim) -> Found:
    found: list[Statement] = []
    bounds: list[Bound] = []
    for name, statement in evidence.sensitivities.items():
        if statement is not None:
            found.append(statement)
            shift = shift_at(statement, claim.step)
            if shift is not None:
                bounds.append(Bound(name, "sensitivity", upper(shift), (statement,)))
    laws = evidence.residuals if evidence.run.loss == "ridge" else None
    if laws is not None:
        try:
            found += [exceedance(law, claim.step, claim.sensitivity) for law in laws.values()]
            if claim.probability > 0:
                bounds.append(_least_shift(list(laws.values()), claim))
        except NotApplicable as refusal:
            evidence.note(refusal)
            laws = None
    if laws is None and claim.probability > 0:
        bound = evidence.high_probability(claim.probability)
        if bound is not None:
            sensitivities = tuple(s.uses[0] for s in bound.statements)
            found += sensitivities
            shifts = [shift_at(s, claim.step) for s in sensitivities]
            known = [upper(shift) for shift in shifts if shift is not None]
            if len(known) == len(shifts):
                bounds.append(Bound(bound.name[:2], "sensitivity", max(known), sensitivities))
    return found, bounds


def _least_shift(laws: Sequence[Statement], claim: SensitivityClaim) -> Bound:
    def within(shift: Fraction) -> bool:
        return all(
            exceedance(law, claim.step, shift).ball("probability") <= ball(claim.probability)
            for law in laws
        )

    high = claim.sensitivity or Fraction(1, 10**6)
    while not within(high):
        high *= 2
    low = Fraction(0)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if within(middle) else (middle, high)
    statements = tuple(exceedance(law, claim.step, high) for law in laws)
    return Bound("S3 (one step, exact tail)", "sensitivity", high, statements)


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
