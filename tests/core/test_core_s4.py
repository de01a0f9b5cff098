"""S4 against a search of the interval and simulation; its premises."""

import math
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from law_runs import law, tiny

from certaudit.core import schedule
from certaudit.core.balls import precision
from certaudit.core.rule import NotApplicable, PremiseFailed, Undecided
from certaudit.core.rules import s4
from certaudit.core.statement import MarginLaw
from certaudit.run import Clip, Phase, Request, Start
from certaudit.search import s4 as search

TWO = (Request((1,), Phase(3, F(1, 2), F(1, 16))), Request((0, 3), Phase(2, F(1, 2), F(1))))


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def shifts(statement):
    return [s for count, s in statement.shifts for _ in range(count)]


def slope(loss, u, y):
    return -y / (1 + np.exp(y * u)) if loss == "logistic" else np.clip(u - y, -0.5, 0.5)


@pytest.mark.parametrize("loss", ["logistic", "huber"])
@pytest.mark.parametrize(
    "changes", [{}, {"requests": TWO, "normalizer": "sum"}, {"start": Start((F(1), F(-2)), F(1, 3))}]
)
def test_shifts_are_the_largest_slope_of_the_interval(loss, changes):
    run = tiny(loss, seed=4, **changes)
    for world in "PQ":
        proof, line = law(run, world)
        law_ = line.statement
        witness = search.witness(law_, F(1, 1000))
        found = proof.apply("S4", (line,), witness).statement
        pairs = [p for p in schedule.from_start("test", run) for _ in range(p.count)]
        random = 0
        for t, pair in enumerate(pairs):
            total = 0.0
            for k, i in enumerate(pair.removed(run)):
                tau2, bias, margin = (
                    float(table[t][k].mid()) for table in (law_.spreads, law_.biases, law_.margins)
                )
                norm = np.linalg.norm(run.X[i])
                half = norm * (math.sqrt(tau2 * 2 * math.log(2 / float(witness.share))) + bias)
                grid = np.linspace(margin - half, margin + half, 1001)
                total += norm * abs(slope(loss, grid, run.y[i])).max()
                random += tau2 > 0
            expected = float(pair.step_size) / run.count(pair.first) * total
            assert float(shifts(found)[t].mid()) == pytest.approx(expected, rel=1e-12)
        assert found.delta.overlaps(
            random * arb(witness.share.numerator) / arb(witness.share.denominator)
        )
        assert found.delta <= arb(1) / 1000 * (1 + arb("1e-30"))
        assert found.delta > arb(1) / 1000 * (1 - arb("1e-15"))
        assert (found.world, found.last) == (world, None)


def test_the_event_is_as_rare_as_stated():
    run = tiny("logistic", learn=Phase(6, F(1), F(1, 4)), start=Start((F(1), F(-2)), F(1, 3)))
    proof, line = law(run)
    found = proof.apply("S4", (line,), search.witness(line.statement, F(9, 10))).statement
    rng, times = np.random.default_rng(9), 20000
    x, y = run.X, run.y
    w = np.array([1.0, -2.0]) + rng.normal(0, math.sqrt(1 / 3), (times, 2))
    worse = np.zeros(times, bool)
    for s in shifts(found)[:6]:
        worse |= np.linalg.norm(x[1]) / 5 * abs(slope("logistic", w @ x[1], y[1])) > float(s.mid())
        w = w - slope("logistic", w @ x.T, y) @ x / 5 - w / 8 + rng.normal(0, 0.5, (times, 2))
    assert worse.mean() <= 0.9 + 4 * math.sqrt(0.9 / times)


def test_a_point_start_spends_nothing_in_the_first_step():
    run = tiny("huber", learn=Phase(1, F(1, 2), F(1)))
    proof, line = law(run)
    assert proof.apply("S4", (line,), s4.Witness(F(1, 2))).statement.delta.is_zero()


@pytest.mark.parametrize("share", [F(0), F(1), F(-1, 2), F(3, 2), math.nan, math.inf, -math.inf])
def test_nonsense_shares_are_refused(share):
    proof, line = law(tiny("logistic"))
    with pytest.raises(Undecided, match="share"):
        proof.apply("S4", (line,), s4.Witness(share))


def test_tiny_shares_are_wide():
    proof, line = law(tiny("logistic"))
    found = proof.apply("S4", (line,), s4.Witness(F(1, 2**100000))).statement
    assert shifts(found)[3] > arb("0.9") * arb(2) ** -30
    assert found.delta > 0


def test_margins_too_wide_for_the_slope_are_refused():
    run = tiny("logistic")
    X = run.X.copy()
    X[1] = X[1] * 1e150
    proof, line = law(replace(run, X=X), "Q")
    with pytest.raises(Undecided, match="slope"):
        proof.apply("S4", (line,), s4.Witness(F(1, 1000)))


@pytest.mark.parametrize("scale", [1e-200, 1e6, 0.0])
def test_extreme_rows(scale):
    run = tiny("logistic")
    X = run.X.copy()
    X[1] = X[1] * scale
    proof, line = law(replace(run, X=X), "Q")
    found = proof.apply("S4", (line,), s4.Witness(F(1, 1000))).statement
    top = arb(scale) * s4.row_norm(run, 1) / 10
    assert all(s <= top * arb("1.0000001") for s in shifts(found))
    assert all(s > 0 or scale == 0 for s in shifts(found)[:4])


def test_premises():
    run = tiny("logistic")
    proof, line = law(run)
    with pytest.raises(NotApplicable, match="MarginLaw"):
        proof.apply("S4", (), s4.Witness(F(1, 2)))
    bent, other = law(tiny("logistic", normalizer="current"))
    with pytest.raises(NotApplicable, match="reweights"):
        bent.apply("S4", (other,), s4.Witness(F(1, 2)))
    assert isinstance(line.statement, MarginLaw)
    for changes in ({"projection": F(1)}, {"clip": Clip(F(1), False)}):
        with pytest.raises(NotApplicable, match="projection or clip"):
            s4.RULE.apply(replace(run, **changes), (line.statement,), s4.Witness(F(1, 2)))
    y = run.y.copy()
    y[1] = 8.0
    with pytest.raises(PremiseFailed, match="labels"):
        s4.RULE.apply(replace(run, y=y), (line.statement,), s4.Witness(F(1, 2)))
