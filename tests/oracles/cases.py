"""One random run with claims about it, asked of an oracle and of the prover."""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count

import numpy as np
from oracles.dice import Dice
from oracles.gaussian import GaussianTruth
from oracles.gaussian_stick import Unresolved
from oracles.generate import KINDS, Kind, random_run
from oracles.judge import Contradiction, Truth, contradictions, nearby
from oracles.line import LineTruth
from oracles.line_law import TooFine
from oracles.prover import answers
from oracles.sampled import SampledTruth
from oracles.worlds import stopped

from certaudit.claims import BOTH, Claim, EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.run import Run

DELTAS = {
    "line": ("1/10", "1/100", "1/1000", "1/100000"),
    "gaussian": ("1/10", "1/1000", "1/100000", "1/100000000"),
    "sampled": ("1/5", "1/50", "1/1000", "1/100000"),
}
SHARES = (Fraction(9, 10), Fraction(11, 10))


@dataclass(frozen=True)
class Outcome:
    """What was asked about a run, what the prover said (word by word), and what is wrong with it."""

    run: Run
    attempt: int
    words: tuple[str, ...]
    wrong: tuple[Contradiction, ...]


def truth_of(kind: Kind, index: int, run: Run) -> Truth:
    """The oracle of a kind."""
    if kind == "line":
        return LineTruth(run)
    return GaussianTruth(run) if kind == "gaussian" else SampledTruth(run, index)


def outcome(kind: Kind, index: int) -> Outcome:
    """Run ``index`` of a kind, judged; drawn again where the oracle cannot resolve it."""
    for attempt in count():
        try:
            return _judged(kind, index, attempt)
        except (TooFine, Unresolved):
            continue
    raise AssertionError("unreachable")


def _judged(kind: Kind, index: int, attempt: int) -> Outcome:
    run = random_run(kind, index, attempt)
    dice = Dice(np.random.default_rng([KINDS.index(kind), index, attempt, 1]))
    after = dice.of(None, dice.whole(1, len(run.requests)))
    truth = truth_of(kind, index, stopped(run, after))
    claims = [placed for claim in _asked(dice, kind, after) for placed in _placed(truth, claim)]
    found = answers(run, claims)
    wrong = tuple(w for answer in found for w in contradictions(truth, answer))
    return Outcome(run, attempt, tuple(answer.status for answer in found), wrong)


def _asked(dice: Dice, kind: Kind, after: int | None) -> list[Claim]:
    """An (epsilon, delta) claim and one of another kind, at no number of their own yet."""
    delta = Fraction(dice.of(*DELTAS[kind]))
    order = dice.of(Fraction(3, 2), Fraction(2), Fraction(4), Fraction(20))
    slack = dice.of(Fraction(1, 10), Fraction(1, 100), Fraction(1, 10**4))
    ways = dice.of(BOTH, BOTH, BOTH[:1], BOTH[1:])
    other = dice.of(
        RenyiClaim("r", order, Fraction(0), ways, after=after),
        GaussianClaim("g", Fraction(0), slack, ways, after=after),
    )
    return [EpsilonDelta("e", Fraction(0), delta, ways, after=after), other]


def _placed(truth: Truth, claim: Claim) -> list[Claim]:
    """The claim just below and just above the truth, or somewhere if the truth is 0 or infinite."""
    near = nearby(truth, claim)
    name = {EpsilonDelta: "epsilon", RenyiClaim: "renyi", GaussianClaim: "mu"}[type(claim)]
    if near is None:
        return [replace(claim, **{name: Fraction(1)})]
    return [replace(claim, **{name: near * share}) for share in SHARES]
