"""Data a loss is not defined for: refused by every rule that bounds its slope or curvature."""

import json
import math
from dataclasses import replace
from fractions import Fraction as F
from types import SimpleNamespace

import numpy as np
import pytest
from test_kernel_networks import MLP
from test_kernel_networks import run as network_run

from certaudit.check.checker import Checker
from certaudit.check.document import seal
from certaudit.claims import EpsilonDelta
from certaudit.kernel.balls import ball, precision
from certaudit.kernel.conversion import gaussian_delta, renyi_of_gaussian
from certaudit.kernel.iteration import contractive_iteration
from certaudit.kernel.margin import margin_law
from certaudit.kernel.renyi import triangle
from certaudit.kernel.sensitivity import bounded_drift, per_instance, worst_case
from certaudit.kernel.statement import PremiseFailed
from certaudit.prove.evidence import BITS, Evidence
from certaudit.prove.spectrum import prove_curvature
from certaudit.prove.verify import verify
from certaudit.report import saved
from certaudit.run import Batch, Clip, Phase, Reference, Request, Run, Start
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
    rules = [lambda: prove_curvature(run, Batch(None, (0,)))]
    rules += [lambda rule=rule: rule(run) for rule in (per_instance, worst_case, bounded_drift)]
    if loss == "logistic" and clip is None:
        rules.append(lambda: margin_law(run, "P", ()))
    for rule in rules:
        with precision(BITS), pytest.raises(PremiseFailed, match="labels"):
            rule()


def test_rows_outside_a_batch_do_not_bend_its_loss():
    with precision(BITS):
        assert prove_curvature(run_of("logistic", 8.0), Batch(None, (1,))).kind == "curvature"


@pytest.mark.parametrize(("loss", "label"), BAD)
@pytest.mark.parametrize("release", ["final", "every-step"])
def test_the_second_checker_refuses_them_too(loss, label, release):
    run = run_of(loss, 1.0, release=release, learn=Phase(1, F(1, 8), F(1, 1000)))
    (verdict,) = verify(Evidence(run), [EpsilonDelta("e", F(10**6), F(1, 100))])
    content = json.loads(json.dumps(_document(run, verdict)))
    assert Checker().check(content).accepted
    content["run"]["y"][1] = label
    content["sha256"] = seal(content)
    report = Checker().check(content)
    assert any("labels" in reason for reason in report.reasons)


def _document(run, verdict):
    loaded = SimpleNamespace(spec=SimpleNamespace(name="sample"), sha256="0" * 64)
    case = SimpleNamespace(run=run, loaded=loaded)
    return saved.document(SimpleNamespace(case=case, verdicts=[verdict]))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", [float, object])
@pytest.mark.parametrize("name", ["X", "y"])
def test_data_that_are_no_finite_numbers_are_no_run(name, kind, bad):
    run = run_of("huber", 1.0, threshold=F(1))
    changed = np.array(getattr(run, name), dtype=kind)
    changed[0] = bad
    with pytest.raises(ValueError, match=f"{name} must hold finite numbers"):
        replace(run, **{name: changed})


def test_worlds_of_other_networks_are_other_laws():
    """The removed row is in no batch, so that both worlds of a run are one law, but two activations
    make two."""
    phase = Phase(4, F(1, 2), F(1, 25), ((0, 2), (3, 4, 5)))
    run = network_run(learn=phase, requests=(Request((1,), replace(phase, steps=2)),))
    other = replace(run, network=replace(MLP, activation="relu"))
    with precision(BITS):
        first, second, stranger = (
            renyi_of_gaussian(contractive_iteration(bounded_drift(one), ()), order)
            for one, order in ((run, F(4)), (run, F(3)), (other, F(3)))
        )
        assert triangle(run, first, second).exact["order"] == 2
        with pytest.raises(TypeError, match="do not fit together"):
            triangle(run, first, stranger)
