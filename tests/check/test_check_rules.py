"""Every rule of the ledger: what the prover derives is accepted, on small runs of every shape."""

import json

import pytest
from check_samples import (
    Clip,
    Fr,
    Phase,
    Reference,
    Request,
    Start,
    epsilon,
    forced,
    gaussian,
    proved,
    renyi,
    run,
    sensitivity,
)

from certaudit.check.checker import Checker
from certaudit.check.ledger import LEDGER
from certaudit.kernel.conversion import epsilon_of_renyi
from certaudit.kernel.hockey_stick import half_space, hockey_stick_line
from certaudit.kernel.iteration import contractive_iteration
from certaudit.kernel.pair import exact_renyi
from certaudit.kernel.sensitivity import bounded_drift, per_instance, worst_case
from certaudit.prove.tangent import epsilon_by_tangent

CYCLE = tuple(tuple(range(k, min(k + 4, 14))) for k in range(0, 14, 4))
LOSSES = ("ridge", "logistic", "huber", "softmax")
SEEN: set[tuple[str, str]] = set()


def accepted(content):
    content = json.loads(json.dumps(content))
    report = Checker().check(content)
    assert report.accepted, report.reasons
    assert report.steps == len(content["steps"])
    SEEN.update((step["rule"], step["kind"]) for step in content["steps"])
    return content


def phase(steps, step_size=None, variance=None, batches=()):
    return Phase(steps, step_size or Fr(3, 2), variance or Fr(1, 400), batches)


PROGRAMS = {
    "plain": {},
    "sum": {"normalizer": "sum", "learn": phase(12, Fr(1, 10)), "requests": (
        Request((4,), phase(5, Fr(1, 10))),)},
    "cyclic": {"learn": phase(12, batches=CYCLE), "requests": (Request((4,), phase(7, batches=CYCLE)),)},
    "several requests": {"requests": (Request((4,), phase(5)), Request((7, 2), phase(3)))},
    "output noise": {"output_variance": Fr(1, 90)},
    "retrained": {"reference": Reference("retrained", 17)},
    "every step": {"release": "every-step"},
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("loss", LOSSES)
def test_programs(loss, name):
    accepted(proved(run(loss, **PROGRAMS[name]), epsilon(3000), renyi(), gaussian(delta=Fr(1, 100))))


@pytest.mark.parametrize("loss", ["logistic", "huber", "softmax"])
def test_current_normalizer(loss):
    accepted(proved(run(loss, normalizer="current"), epsilon(3000), renyi()))


def test_current_normalizer_of_an_exact_law():
    accepted(proved(run(normalizer="current"), renyi(Fr(3, 2))))


@pytest.mark.parametrize("loss", ["ridge", "logistic", "huber"])
def test_gaussian_start(loss):
    start = Start((Fr(1, 3), Fr(0), Fr(-1)), Fr(1, 7))
    accepted(proved(run(loss, start=start), epsilon(3000), gaussian(delta=Fr(1, 100))))


def test_step_claims():
    accepted(proved(run(), sensitivity()))


SHAPES = {
    "projection": {"projection": Fr(2)},
    "clip": {"clip": Clip(Fr(1, 5), False)},
    "clip with the regularizer": {"clip": Clip(Fr(1, 5), True)},
    "clip, few rows left": {"clip": Clip(Fr(1, 5), False), "l2": Fr(8), "learn": phase(2, Fr(1)),
                            "requests": (Request(tuple(range(12)), phase(2, Fr(1))),),
                            "reference": Reference("unlearn-retrained", 2)},
    "clip, a batch emptied": {"clip": Clip(Fr(1, 5), False), "l2": Fr(8), "normalizer": "current",
                              "learn": phase(2, Fr(1), batches=((0, 1), (2, 3))),
                              "requests": (Request((0, 1), phase(2, Fr(1))),),
                              "reference": Reference("unlearn-retrained", 2)},
    "both": {"projection": Fr(2), "clip": Clip(Fr(1, 5), False)},
    "current": {"projection": Fr(2), "normalizer": "current"},
    "cyclic": {"projection": Fr(2), "learn": phase(12, batches=CYCLE), "requests": (
        Request((4,), phase(6, batches=CYCLE)), Request((9,), phase(7, batches=CYCLE)))},
    "many expanding steps": {"clip": Clip(Fr(1, 5), True), "learn": phase(1000),
                             "reference": Reference("unlearn-retrained", 1000)},
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_deterministic_bounds(loss, shape):
    sample = run(loss, **SHAPES[shape])
    routes = []

    def statements(route):
        return lambda evidence: evidence.deterministic[route].statements

    forced(sample, gaussian(), lambda evidence: routes.extend(evidence.deterministic) or
           evidence.deterministic[0].statements)  # fmt: skip
    for route in range(len(routes)):
        accepted(forced(sample, gaussian(), statements(route)))


@pytest.mark.parametrize("last", [1, 5, 9, 16])
@pytest.mark.parametrize("rule", [worst_case, per_instance, bounded_drift])
def test_restarts(rule, last):
    sample = run(projection=Fr(2))
    accepted(
        forced(
            sample,
            gaussian(),
            lambda e: [contractive_iteration(rule(sample, last), e.steps("Q") or ())],
        )
    )


LOUD = {"learn": phase(12, Fr(1, 2), Fr(4)), "requests": (Request((4,), phase(5, Fr(1, 2), Fr(4))),)}


@pytest.mark.parametrize("changes", [{}, {"output_variance": Fr(1, 50)}, {"release": "every-step"},
                                     {"start": Start((Fr(1),) * 3, Fr(1, 5))}])  # fmt: skip
def test_adaptive_composition(changes):
    sample = run(**{**LOUD, **changes})
    accepted(forced(sample, renyi(), lambda e: e.adaptive(Fr(3))))


@pytest.mark.parametrize(
    "convert",
    [
        lambda s: epsilon_of_renyi(s, Fr(1, 10)),
        lambda s: epsilon_of_renyi(s, Fr(1, 10), improved=False),
        lambda s: epsilon_by_tangent(s, Fr(1, 10**6)),
    ],
)
def test_conversions_of_renyi(convert):
    accepted(forced(run(**LOUD), epsilon(), lambda e: map(convert, e.adaptive(Fr(3)))))


OTHER_NOISE = {"reference": Reference("unlearn-retrained", 12, Fr(1, 380))}


def test_one_dimension():
    sample = run(d=1, **OTHER_NOISE)
    level = Fr(1, 10)
    accepted(
        forced(
            sample,
            epsilon(1, Fr(1, 2)),
            lambda e: [hockey_stick_line(pair.pair, level) for pair in e.exact.values()],
        )
    )
    accepted(proved(sample, gaussian(3, Fr(1, 10**4))))


@pytest.mark.parametrize("d", [2, 3, 4])
def test_refutations(d):
    sample = run(d=d, **OTHER_NOISE)
    for direction in ("P|Q", "Q|P"):
        accepted(
            forced(
                sample,
                renyi(10**5, Fr(1, 10**6)),
                lambda e, on=direction: [exact_renyi(e.exact[on].pair, Fr(10**5))],
            )
        )
    accepted(
        forced(
            sample,
            epsilon(0, Fr(1, 1000)),
            lambda e: [half_space(e.exact["P|Q"].pair, Fr(1, 100), Fr(1, 10))],
        )
    )


def test_a_covered_gaussian():
    accepted(proved(run(**LOUD), gaussian(3, Fr(1, 10**4))))


def test_every_rule_of_the_ledger_was_seen():
    if len(SEEN) > 20:
        assert set(LEDGER) == SEEN
