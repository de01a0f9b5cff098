"""The judge contradicts what is wrong and nothing else, so that the tests of the prover can fail."""

from fractions import Fraction as F

import numpy as np
import pytest
from oracles.gaussian import GaussianTruth
from oracles.judge import contradictions, nearby
from oracles.line import LineTruth
from oracles.prover import Answer, Number, answers
from oracles.sampled import SampledTruth

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.run import Clip, Phase, Reference, Request, Run, Start

DELTA = F(1, 100)
CLAIMS = (
    EpsilonDelta("e", F(0), DELTA),
    RenyiClaim("r", F(2), F(0)),
    GaussianClaim("g", F(0), DELTA),
)


def one_step(**changes):
    """A row of ridge regression, noise after it alone: two normal laws, mu = 2."""
    plain = {
        "X": np.array([[1.0], [1.0]]),
        "y": np.array([4.0, 0.0]),
        "loss": "ridge",
        "l2": F(0),
        "normalizer": "sum",
        "learn": Phase(1, F(1, 2), F(0)),
        "requests": (Request((0,), Phase(1, F(1, 2), F(1, 4))),),
        "start": Start((F(0),), F(0)),
        "projection": None,
        "clip": None,
        "reference": Reference("unlearn-retrained", 1),
        "release": "final",
    }
    return Run(**{**plain, **changes})


def truths(run):
    return [LineTruth(run), GaussianTruth(run), SampledTruth(run, 0)]


@pytest.mark.parametrize("truth", truths(one_step()), ids=["line", "gaussian", "sampled"])
def test_half_of_a_tight_epsilon_is_contradicted(truth):
    (answer,) = answers(one_step(), [EpsilonDelta("e", F(20), F(1, 10))])
    assert contradictions(truth, answer) == []
    tight = min(n.upper for n in answer.numbers)
    half = Answer(answer.claim, "not proved", (Number("wrong", "epsilon", tight / 2, None),))
    assert len(contradictions(truth, half)) == 1


@pytest.mark.parametrize("truth", truths(one_step()), ids=["line", "gaussian", "sampled"])
@pytest.mark.parametrize("claim", CLAIMS, ids=["epsilon", "renyi", "mu"])
def test_wrong_words_and_numbers_are_contradicted(truth, claim):
    true = nearby(GaussianTruth(one_step()), claim)
    name = {EpsilonDelta: "epsilon", RenyiClaim: "renyi", GaussianClaim: "mu"}[type(claim)]

    def judged(word, share, upper=None, floor=None):
        placed = type(claim)(**{**vars(claim), name: true * F(share)})
        numbers = [] if upper is floor else [Number("route", name, upper, floor)]
        return contradictions(truth, Answer(placed, word, tuple(numbers)))

    assert judged("proved", "0.3")
    assert judged("not proved", "1", upper=true * F("0.3"))
    assert not judged("proved", "1.001")
    assert not judged("refuted", "0.999")
    assert not judged("not proved", "1", upper=true * F("1.001"), floor=true * F("0.999"))
    if not isinstance(truth, SampledTruth):
        assert judged("proved", "0.999")
    if isinstance(truth, GaussianTruth) or (isinstance(truth, LineTruth) and name != "renyi"):
        assert judged("refuted", "1.01")
        assert judged("not proved", "1", floor=true * F("1.01"))


def test_a_lipschitz_constant_too_small_is_contradicted():
    """Softmax, the regularizer outside the clip counted for the rows left alone: 5.02 for 14.05."""
    run = one_step(
        X=np.array([[10.0], [-1.0], [-1.0], [-1.0]]),
        y=np.array([1.0, 1.0, 1.0, 1.0]),
        loss="softmax",
        l2=F(8),
        normalizer="fixed",
        learn=Phase(1, F(1), F(0)),
        requests=(Request((1, 2, 3), Phase(1, F(1), F(1))),),
        start=Start((F(0), F(0)), F(0)),
        clip=Clip(F(1, 2), False),
        classes=2,
    )
    truth = LineTruth(run)
    claim = EpsilonDelta("e", F("5.02"), F(1, 10**5))
    assert float(nearby(truth, claim)) == pytest.approx(14.05, abs=0.01)
    assert contradictions(truth, Answer(claim, "proved", ()))
    true = EpsilonDelta("e", F("14.06"), F(1, 10**5))
    assert not contradictions(truth, Answer(true, "proved", ()))
