"""The margin law against a high-precision noiseless run and simulation; its premises."""

import math
from dataclasses import replace
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from flint import arb
from law_runs import law, lines, tiny

from certaudit.core.balls import precision
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, PremiseFailed
from certaudit.core.rules import margin_law
from certaudit.core.schedule import active
from certaudit.run import Clip, Phase, Request, Start

CYCLIC = ((0, 1), (2, 3), (1, 4))
SHAPES = [
    {},
    {"start": Start((F(1), F(-2)), F(1, 3))},
    {"normalizer": "current", "learn": Phase(7, F(1, 2), F(1, 16), CYCLIC)},
    {"requests": (Request((1,), Phase(3, F(1, 2), F(1, 9))), Request((0, 3), Phase(2, F(1, 2), F(1))))},
    {"normalizer": "sum", "learn": Phase(5, F(1, 8), F(0))},
]
SLOPES = {
    "logistic": lambda u, y: -y / (1 + mpmath.exp(y * u)),
    "huber": lambda u, y: max(-mpmath.mpf(1) / 2, min(mpmath.mpf(1) / 2, u - y)),
    "ridge": lambda u, y: u - y,
}


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def big(x):
    return mpmath.mpf(x.numerator) / x.denominator


def reference(run, world, rates):
    """(margin, tau^2, bias) of every removed row and step, in mpmath."""
    rows = [[mpmath.mpf(v) for v in row] for row in run.X.tolist()]
    w, tau2, bias = [big(m) for m in run.start.mean], big(run.start.variance), mpmath.mpf(0)
    found = []
    for pair in active("test", run):
        batch, eta, c = pair.batch(world), big(pair.step_size), rates[pair.batch(world), pair.step_size]
        used, count = run.rows(batch), run.count(batch)
        norms = [mpmath.sqrt(sum(v * v for v in row)) for row in rows]
        for _ in range(pair.count):
            dot = [sum(a * b for a, b in zip(row, w, strict=True)) for row in rows]
            found.append([(dot[i], tau2, bias) for i in pair.removed(run)])
            g = [big(run.l2) * v for v in w]
            for j in used:
                slope = SLOPES[run.loss](dot[j], mpmath.mpf(run.y.tolist()[j]))
                g = [a + slope * b / count for a, b in zip(g, rows[j], strict=True)]
            third = {"logistic": 1 / (6 * mpmath.sqrt(3))}.get(run.loss)
            later = c**2 * tau2 + big(pair.noise_variance)
            crude = mpmath.sqrt(run.d * later)
            if third is not None:
                cubes = sum(norms[j] ** 3 for j in used)
                crude = min(crude, c * bias + eta / count * cubes * third * tau2 / 2)
            w, tau2, bias = [a - eta * b for a, b in zip(w, g, strict=True)], later, crude
    return found


@pytest.mark.parametrize("loss", ["logistic", "huber", "ridge"])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_margins_spreads_and_biases_are_those_of_the_noiseless_run(loss, shape):
    run = tiny(loss, seed=shape, **SHAPES[shape])
    for world in "PQ":
        proof, line = law(run, world, "margin-law")
        known = [proof.lines[k].statement for k in line.uses]
        with mpmath.workdps(60):
            rates = {(one.batch, one.step_size): big(one.c) for one in known}
            expected = reference(run, world, rates)
            found = line.statement
            tables = (found.margins, found.spreads, found.biases)
            for t, row in enumerate(expected):
                assert all(len(table[t]) == len(row) for table in tables)
                for k, numbers in enumerate(row):
                    for table, value in zip(tables, numbers, strict=True):
                        assert abs(table[t][k] - arb(mpmath.nstr(value, 55))) < arb("1e-45")
            assert len(found.margins) == len(expected)


@pytest.mark.parametrize("loss", ["logistic", "huber"])
def test_simulated_margins_keep_to_the_statement(loss):
    run = tiny(loss, learn=Phase(6, F(1), F(1, 4)), start=Start((F(1), F(-2)), F(1, 3)))
    rng, times, share = np.random.default_rng(3), 40000, 0.2
    line = law(run)[1]
    x, y = run.X, run.y
    w = np.array([1.0, -2.0]) + rng.normal(0, math.sqrt(1 / 3), (times, 2))
    length = np.linalg.norm(x[1])
    for t in range(6):
        u = w @ x[1]
        margin, tau2, bias = (
            float(table[t][0].mid())
            for table in (line.statement.margins, line.statement.spreads, line.statement.biases)
        )
        assert abs(u.mean() - margin) <= length * bias + 4 * u.std() / math.sqrt(times)
        beyond = abs(u - u.mean()) > length * math.sqrt(2 * tau2 * math.log(2 / share))
        assert beyond.mean() <= share + 4 * math.sqrt(share / times)
        assert u.std() <= length * math.sqrt(tau2) * 1.02
        v = w @ x.T
        slope = -y / (1 + np.exp(y * v)) if loss == "logistic" else np.clip(v - y, -0.5, 0.5)
        w = w - slope @ x / 5 - w / 8 + rng.normal(0, 0.5, (times, 2))


@pytest.mark.parametrize("scale", [1e-200, 1e150, 0.0])
def test_extreme_rows(scale):
    run = tiny("logistic")
    X = run.X.copy()
    X[1] = X[1] * scale
    found = law(replace(run, X=X), "Q")[1].statement
    assert all(row[0].is_finite() for table in (found.margins, found.biases) for row in table)
    assert all(row[0].is_zero() or scale for row in found.margins)


def test_labels_are_a_premise_of_every_row_used():
    for j in (1, 3):
        run = tiny("logistic")
        y = run.y.copy()
        y[j] = 8.0
        proof = Proof(replace(run, y=y))
        good = Proof(run)
        known = [one.statement for one in lines(good, "Q")]
        with pytest.raises(PremiseFailed, match="labels"):
            margin_law.RULE.apply(proof.run, tuple(known), margin_law.Witness("Q"))


@pytest.mark.parametrize("changes", [{"projection": F(2)}, {"clip": Clip(F(1), False)}])
def test_no_projection_and_no_clip_are_premises(changes):
    with pytest.raises(NotApplicable, match="projection or clip"):
        law(tiny("logistic", **changes))


def test_a_loss_of_one_margin_is_a_premise():
    run = tiny("softmax", classes=2, start=Start((F(0),) * 4, F(0)))
    run = replace(run, y=(run.y > 0).astype(float))
    with pytest.raises(NotApplicable, match="one margin"):
        law(run)


def test_contractions_worlds_and_lengths():
    proof = Proof(tiny("huber"))
    known = lines(proof, "P")
    with pytest.raises(NotApplicable, match="contraction of a step is missing"):
        proof.apply("margin-law", known[1:], margin_law.Witness("P"))
    with pytest.raises(NotApplicable, match="P or Q"):
        proof.apply("margin-law", known, margin_law.Witness("any"))
    proof = Proof(tiny("huber", learn=Phase(10**9, F(1, 2), F(1))))
    with pytest.raises(NotApplicable, match="more than"):
        proof.apply("margin-law", lines(proof, "P"), margin_law.Witness("P"))
