"""Data a loss is not defined for: refused by every rule that bounds its slope or curvature."""

import math
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from certified import certificate, rejected

from certaudit.certificate.numbers import spell
from certaudit.claims import EpsilonDelta
from certaudit.core.balls import ball, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.proof import BITS, Proof
from certaudit.core.rule import PremiseFailed
from certaudit.core.rules import RULES
from certaudit.core.statement import Curvature
from certaudit.run import Batch, Clip, Phase, Reference, Request, Run, Start
from certaudit.search import curvature
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify
from certaudit.verdict import Status

START = F(-9, 20)


def run_of(loss, kept, **changes):
    """Row 0 is removed; row 1, with the label ``kept``, stays."""
    classes = 3 if loss == "softmax" else 1
    values = {
        "X": np.ones((2, 1)),
        "y": np.array([1.0, kept]),
        "loss": loss,
        "l2": F(1, 100),
        "normalizer": "fixed",
        "learn": Phase(1, F(1, 8), F(0)),
        "requests": (Request((0,), Phase(3, F(1), F(1, 1000))),),
        "start": Start((START,) * classes, F(0)),
        "projection": None,
        "clip": None,
        "reference": Reference("unlearn-retrained", 1),
        "release": "final",
        "classes": classes,
    }
    return Run(**{**values, **changes})


def test_a_label_of_eight_bends_the_loss_sixty_four_times():
    """Learning ends near w = 0, where the kept row's curvature is 16 and not 1/4; one step then takes
    the two runs to means further apart than any constant of the logistic loss allows."""
    run = run_of("logistic", 8.0, requests=(Request((0,), Phase(1, F(1), F(1, 300))),))
    claim = EpsilonDelta("five", F(5), F(1, 10**5))

    def moved(w, step, *labels):
        slopes = sum(-y / (1 + math.exp(y * w)) for y in labels)
        return w - step * (slopes / 2 + float(run.l2) * w)

    means = [moved(moved(float(START), 1 / 8, *first), 1, 8) for first in ((1, 8), (8,))]
    mu = F(abs(means[0] - means[1]) * math.sqrt(300))
    with precision(BITS):
        assert gaussian_delta(mu, claim.epsilon) > ball(F(1, 100))
    (verdict,) = verify(Evidence(run), [claim])
    assert verdict.status is Status.PREMISE_FAILED
    assert {one.premise.name for one in verdict.failed} == {"labels"}


BAD = [
    ("logistic", 8.0),
    ("logistic", 0.0),
    ("logistic", -0.5),
    ("softmax", 3.0),
    ("softmax", -1.0),
    ("softmax", 0.5),
]


@pytest.mark.parametrize("clip", [None, Clip(F(1, 2), False), Clip(F(1, 2), True)])
@pytest.mark.parametrize(("loss", "label"), BAD)
def test_every_rule_of_slope_or_curvature_refuses_a_strange_label_of_a_kept_row(loss, label, clip):
    run = run_of(loss, label, clip=clip)
    proof = Proof(run)
    asked = {rule: RULES[rule].witness(None) for rule in ("S1", "S2", "S1-drift")}
    asked["curvature"] = curvature.witness(run, Batch(None, (0,)))
    if loss == "logistic" and clip is None:
        asked["margin-law"] = RULES["margin-law"].witness("P")
    for rule, witness in asked.items():
        with pytest.raises(PremiseFailed, match="labels"):
            proof.apply(rule, (), witness)


def test_rows_outside_a_batch_do_not_bend_its_loss():
    run = run_of("logistic", 8.0)
    line = Proof(run).apply("curvature", (), curvature.witness(run, Batch(None, (1,))))
    assert isinstance(line.statement, Curvature)


@pytest.mark.parametrize(("loss", "label"), BAD)
@pytest.mark.parametrize("release", ["final", "every-step"])
def test_the_second_checker_refuses_them_too(loss, label, release):
    run = run_of(loss, 1.0, release=release, learn=Phase(1, F(1, 8), F(1, 1000)))
    content = certificate(run, verify(Evidence(run), [EpsilonDelta("e", F(10**6), F(1, 100))]))
    assert rejected(content) == (None, None)
    content["data"]["y"][1] = spell(label)
    assert all("label" in reason for reason in rejected(content))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", [float, object])
@pytest.mark.parametrize("name", ["X", "y"])
def test_data_that_are_no_finite_numbers_are_no_run(name, kind, bad):
    run = run_of("huber", 1.0, threshold=F(1))
    changed = np.array(getattr(run, name), dtype=kind)
    changed[0] = bad
    with pytest.raises(ValueError, match=f"{name} must hold finite numbers"):
        replace(run, **{name: changed})
