"""What an audit of a spec could see, in words, before a shadow is trained."""

from __future__ import annotations

import math
from collections.abc import Iterator

from certaudit.audit.statistics import limit
from certaudit.audit.statistics.evalue import Ratios
from certaudit.audit.statistics.forecast import Forecast, forecast, power
from certaudit.audit.statistics.nulls import claimed, quantity
from certaudit.audit.statistics.power import Power, count_power, gaussian_mu
from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, SensitivityClaim
from certaudit.judgement.levels import Levels
from certaudit.judgement.words import SYMBOLS
from certaudit.report import words
from certaudit.search.evidence import Evidence
from certaudit.session import Case

USUAL_DELTA = 1e-5
"""Where --epsilon is about a claim without delta."""


def lines(case: Case, *, epsilon: float | None = None, shadows: int | None = None) -> Iterator[str]:
    """One claim after another: pairs needed to refute it, and what the audit cannot see.

    ``epsilon`` supposes that the laws are a Gaussian pair of that epsilon at the claim's delta; without
    it the truth is the exact law of the run, where known.
    """
    settings = case.loaded.spec.audit
    budget = settings.shadows if shadows is None else shadows
    level = float(Levels.of(settings.confidence, compared=case.stated).claims) / len(case.claims)
    yield f"power of an audit of {case.loaded.spec.name}: at most {budget} shadow models in each world,"
    yield (
        f"  {len(case.claims)} claim{'s' if len(case.claims) > 1 else ''}, each refuted when wealth "
        f"reaches {1 / level:.4g}"
    )
    truths: dict[int, Ratios | None] = {}
    for claim in case.claims:
        yield ""
        yield f"{claim.id}: {words.claimed(claim)}"
        if isinstance(claim, SensitivityClaim):
            sees = count_power(float(claim.probability), budget, level)
            yield from _sees(sees, SYMBOLS["probability"], float(claim.probability), budget)
            continue
        if epsilon is None:
            after = len(case.run.requests) if claim.after is None else claim.after
            if after not in truths:
                truths[after] = _truth(case, after)
            truth = truths[after]
            supposed = "if the code does what the spec says (the exact law)"
        else:
            mu = gaussian_mu(epsilon, _delta(claim))
            truth = limit.of_gaussian_dp(mu)
            supposed = (
                f"if the laws are a Gaussian pair with ε = {epsilon:.4g} at δ = {_delta(claim):.3g}"
            )
        if truth is None:
            yield "  the exact law of this run is not known: suppose a value with --epsilon"
        else:
            yield from _needs(forecast(claim, truth, level), supposed, budget, level)
        symbol = SYMBOLS[quantity(claim)]
        yield from _sees(power(claim, budget, level), symbol, claimed(claim), budget)
    yield ""
    yield "what no audit of this kind can see:"
    yield "  a fault that leaves the law of the released models as it is"
    yield "  a difference in other rows than those forgotten, or in other data than the spec's"
    yield "  events of probability below about 1 in the number of shadows, however large their ratio"


def _delta(claim: Claim) -> float:
    if isinstance(claim, EpsilonDelta | GaussianClaim) and claim.delta > 0:
        return float(claim.delta)
    return USUAL_DELTA


def _truth(case: Case, after: int) -> Ratios | None:
    law = Evidence(case.run.after(after)).float_law() if case.stated else None
    return None if law is None else limit.of_law(law)


def _needs(found: Forecast, supposed: str, budget: int, level: float) -> Iterator[str]:
    if found.least is None or found.typical is None:
        pairs = -math.log(level) / limit.RESOLUTION
        yield f"  {supposed}: no number of shadow pairs below {pairs:.2g} refutes it"
    else:
        enough = "enough" if found.typical <= budget else "NOT enough"
        yield (
            f"  {supposed}: about {found.typical} shadow pairs refute it; not fewer than about "
            f"{found.least}, at {found.limit:.3g} nats a pair"
        )
        yield f"  the budget of {budget} pairs is {enough}"
    for event in found.events:
        first, second = event.direction.split("|")
        if event.first > 0:
            rates = f"{first} {event.first:.4g}, {second} {event.second:.4g}"
            yield f"  optimal event, {event.direction}: {rates}"


def _sees(sees: Power, symbol: str, value: float, budget: int) -> Iterator[str]:
    if sees.ceiling <= value:
        yield (
            f"  blind: {budget} pairs refute no claim above {symbol} = {sees.ceiling:.4g}, "
            "whatever the code does"
        )
        return
    if sees.smallest is not None:
        supposed = (
            "" if symbol == SYMBOLS["probability"] else "if the worlds differ like two Gaussians: "
        )
        least = f"{symbol} of about {sees.smallest:.4g}"
        yield f"  {supposed}sees a true {least} or more (4 times in 5), not less"
    yield f"  whatever the worlds: could refute no claim above {symbol} = {sees.ceiling:.4g}"
