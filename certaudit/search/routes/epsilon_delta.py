"""(epsilon, delta): the exact tier, Gaussian DP by C5, Rényi bounds by C3."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from certaudit.claims import EpsilonDelta
from certaudit.core.balls import ball, lower
from certaudit.core.proof import Line
from certaudit.core.rule import Refusal, Undecided
from certaudit.core.rules.c5 import Witness as LevelWitness
from certaudit.core.statement import GaussianDP, HockeyStick, Renyi, ResidualLaw
from certaudit.search.c3 import epsilon_by_tangent
from certaudit.search.evidence import Evidence, GaussianBound
from certaudit.search.exact import ExactPair
from certaudit.search.lines import of
from certaudit.search.o2 import ExactPath
from certaudit.search.orders import epsilon_range
from certaudit.search.r4 import best_order, float_composition
from certaudit.search.routes.shared import best_per_route, gaussian_bounds
from certaudit.verdict import Bound


def search(evidence: Evidence, claim: EpsilonDelta) -> tuple[list[Line], list[Bound]]:
    """Lines that may decide the claim, and each route's epsilon at the claimed delta."""
    found: list[Line] = []
    bounds: list[Bound] = []
    pairs = [evidence.exact[d] for d in claim.directions if d in evidence.exact]
    for pair in pairs:
        try:
            found.append(pair.decide(claim.epsilon, claim.delta))
        except (Refusal, ValueError, OverflowError) as reason:
            found += _by_renyi(evidence, pair, claim, str(reason))
    walked = [evidence.paths[d] for d in claim.directions if d in evidence.paths]
    for path in walked:
        try:
            found.append(path.decide(claim.epsilon, claim.delta))
        except Refusal as reason:
            evidence.note(reason)
    if walked and claim.delta > 0:
        bounds += _path_epsilon(evidence, walked, claim.delta)
    exact = _exact_epsilon(evidence, pairs, claim.delta)
    if exact is not None:
        bounds.append(exact)
    for bound in gaussian_bounds(evidence, claim.delta):
        found += [line for one in bound.lines if (line := _stick(evidence, one, claim.epsilon))]
        converted = _convert(evidence, bound, claim.delta)
        if converted is not None:
            bounds.append(converted)
    if claim.delta > 0:
        composed = _composed_epsilon(evidence, claim.delta)
        if composed is not None:
            found += composed.lines
            bounds.append(composed)
    return found, best_per_route(bounds)


def _stick(evidence: Evidence, gaussian: Line, epsilon: Fraction) -> Line | None:
    return evidence.apply("C5", (gaussian,), LevelWitness(epsilon))


def _composed_epsilon(evidence: Evidence, delta: Fraction) -> Bound | None:
    """R4 (decayed by R2 for the final model), converted by C3 at a good order."""
    probe = evidence.adaptive(Fraction(2))
    laws = evidence.residuals
    if not probe or laws is None:
        return None
    final = evidence.run.release == "final"
    lines = []
    for first, law in zip(probe, laws.values(), strict=True):
        twin = float_composition(evidence.run, of(law, ResidualLaw))
        shrink = _shrink(evidence, first) if final else 1.0
        order = best_order(twin, shrink, delta)
        direction = of(first, Renyi).directions
        (line,) = (s for s in evidence.adaptive(order) if of(s, Renyi).directions == direction)
        if not of(line, Renyi).r.is_finite():
            return None
        try:
            lines.append(epsilon_by_tangent(evidence.proof, line, delta))
        except (ValueError, Refusal):
            return None
    value = max(of(line, HockeyStick).epsilon for line in lines)
    return Bound(f"R4 + {'R2 + ' if final else ''}C3", "epsilon", value, tuple(lines))


def _shrink(evidence: Evidence, decayed: Line) -> float:
    """R2's factor, from its effect on a bound of order 2."""
    before = of(evidence.proof.lines[decayed.uses[0]], Renyi).r
    after = of(decayed, Renyi).r
    return float((after / before).mid()) ** 2 if before > 0 else 1.0


def _by_renyi(evidence: Evidence, pair: ExactPair, claim: EpsilonDelta, reason: str) -> list[Line]:
    try:
        return [pair.renyi_epsilon(claim.delta)] if claim.delta > 0 else []
    except (Refusal, ValueError):
        evidence.note(Undecided("exact tier", reason))
        return []


def _exact_epsilon(evidence: Evidence, pairs: Sequence[ExactPair], delta: Fraction) -> Bound | None:
    if not pairs or delta == 0:
        return None
    try:
        ends = [pair.epsilon(delta) for pair in pairs]
    except Refusal as reason:
        evidence.note(reason)
        return None
    except (ValueError, OverflowError) as error:
        evidence.note(Undecided("exact tier", f"the numbers of this run are out of range ({error})"))
        return None
    floors = [of(end.low, HockeyStick).epsilon for end in ends if end.low is not None]
    by_order = " by one Rényi order" if any(end.high.rule == "C3" for end in ends) else ""
    final_only = evidence.run.release != "final"
    return Bound(
        f"exact tier{by_order}" + (" (final model only)" if final_only else ""),
        "epsilon",
        None if final_only else max(end.upper for end in ends),
        tuple(s for end in ends for s in (end.high, end.low) if s is not None),
        max(floors, default=Fraction(0)),
    )


def _path_epsilon(evidence: Evidence, paths: Sequence[ExactPath], delta: Fraction) -> list[Bound]:
    try:
        ends = [path.epsilon(delta) for path in paths]
    except Refusal as reason:
        evidence.note(reason)
        return []
    except ValueError:
        return []
    floors = [of(end.low, HockeyStick).epsilon for end in ends if end.low is not None]
    return [
        Bound(
            "O2-renyi + C3" if any(end.high.rule == "C3" for end in ends) else "O2, the exact path",
            "epsilon",
            max(end.upper for end in ends),
            tuple(s for end in ends for s in (end.high, end.low) if s is not None),
            max(floors, default=None),
        )
    ]


def _convert(evidence: Evidence, bound: GaussianBound, delta: Fraction) -> Bound | None:
    """The epsilon that C5 gives at ``delta`` for every direction of the bound."""
    worst = Fraction(0)
    for line in bound.lines:
        gaussian = of(line, GaussianDP)
        mu, left = gaussian.mu.upper(), ball(delta) - gaussian.delta
        if not left > 0 or not mu.is_finite():
            return None
        worst = max(worst, epsilon_range(mu, lower(left))[1])
    sticks = [_stick(evidence, line, worst) for line in bound.lines]
    known = tuple(stick for stick in sticks if stick is not None)
    return Bound(bound.name + " + C5", "epsilon", worst, known) if len(known) == len(sticks) else None
