"""The oracles against closed forms, against finer grids, and against each other."""

import json
from dataclasses import replace
from fractions import Fraction as F
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from oracles import gaussian_stick, line_cells, line_law, normal_pair
from oracles.gaussian import GaussianTruth
from oracles.gaussian_law import MP, Normal, final_law, is_affine, number
from oracles.gaussian_pair import Pair, diagonal, flipped, renyi
from oracles.gaussian_stick import hockey_stick, hockey_stick_mp
from oracles.generate import random_run
from oracles.line import LineTruth
from oracles.line_law import TooFine
from oracles.sampled import SampledTruth, clopper_pearson
from oracles.worlds import shown_first

from certaudit.run import Phase, Reference, Request, Run, Start

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "golden.json").read_text(encoding="utf-8"))
EPSILONS = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0])
WAYS = ("P|Q", "Q|P")


def line_runs(count, wanted):
    """The first runs on a line that are wanted and can be resolved, with their truths."""
    found, index = [], 0
    while len(found) < count:
        run = random_run("line", index)
        index += 1
        truth = LineTruth(run)
        try:
            if wanted(run) and truth._cells.smooth:
                found.append((run, truth))
        except TooFine:
            continue
    return found


def test_line_agrees_with_the_normal_laws_of_ridge():
    """To 5e-9, over 60 random runs, both directions, epsilon from 0 to 10."""
    for run, truth in line_runs(60, is_affine):
        exact = GaussianTruth(replace(shown_first(run), release="final"))
        for way in WAYS:
            if exact._pairs[way] is not None:
                gap = truth.deltas(way, EPSILONS) - exact.deltas(way, EPSILONS)
                assert np.abs(gap).max() < 5e-9


def test_line_does_not_change_on_a_finer_grid(monkeypatch):
    """To 1e-7, over 40 random runs of every loss: 28 nodes a panel for 16, a quarter of the cells."""
    runs = line_runs(40, lambda run: not is_affine(run))
    coarse = [[truth.deltas(way, EPSILONS) for way in WAYS] for _, truth in runs]
    nodes, weights = np.polynomial.legendre.leggauss(28)
    monkeypatch.setattr(line_law, "NODES", nodes)
    monkeypatch.setattr(line_law, "WEIGHTS", weights)
    monkeypatch.setattr(line_cells, "FINE", line_cells.FINE / 4)
    for (run, _), before in zip(runs, coarse, strict=True):
        after = [LineTruth(run).deltas(way, EPSILONS) for way in WAYS]
        assert np.abs(np.array(before) - after).max() < 1e-7


def test_line_loses_with_every_step_without_noise():
    """Run 1527 folds its law again and again: data processing, to 1e-7."""
    run = random_run("line", 1527)
    (request,) = run.requests
    assert request.unlearn.noise_variance == 0
    ways = []
    for steps in (1, 2, 3):
        unlearn = replace(request.unlearn, steps=steps)
        truth = LineTruth(replace(run, requests=(replace(request, unlearn=unlearn),)))
        ways.append(np.stack([truth.deltas(way, EPSILONS) for way in WAYS]))
    for earlier, later in pairwise(ways):
        assert (later <= earlier + 1e-7).all()


def test_line_renyi_is_a_close_lower_bound():
    for run, truth in line_runs(20, is_affine):
        exact = GaussianTruth(run)
        for way in WAYS:
            low, value = truth.renyi(way, F(3, 2))[0], float(exact.renyi(way, F(3, 2))[0])
            assert low <= value + 1e-7
            if np.isfinite(value) and value < 5:
                assert low >= value * 0.999 - 1e-6


def test_line_of_softmax_sees_both_coordinates():
    """Other noise in the reference shows in the sum of the weights as well."""
    run = Run(
        X=np.array([[1.0], [1.0]]),
        y=np.array([0.0, 1.0]),
        loss="softmax",
        l2=F(0),
        normalizer="fixed",
        learn=Phase(1, F(1), F(1)),
        requests=(Request((0,), Phase(1, F(1, 10**9), F(1))),),
        start=Start((F(0), F(0)), F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 1, unlearn_variance=F(3)),
        release="final",
        classes=2,
    )
    # P is N((0, 0), 2 I) and Q is N((-1/4, 1/4), 4 I), but for 1e-9
    p = Normal(np.array([MP.mpf(0)] * 2), np.array([[MP.mpf(2), MP.mpf(0)], [MP.mpf(0), MP.mpf(2)]]))
    q = Normal(np.array([MP.mpf(-0.25), MP.mpf(0.25)]), 2 * p.covariance)
    for way, pair in (("P|Q", diagonal(p, q)), ("Q|P", diagonal(q, p))):
        exact = [hockey_stick(pair, e) for e in EPSILONS]
        np.testing.assert_allclose(LineTruth(run).deltas(way, EPSILONS), exact, atol=1e-7)


@pytest.mark.parametrize("case", GOLDEN["gaussian_pair_1d"])
def test_golden_hockey_sticks(case):
    p, q = (
        Normal(np.array([number(F(case[f"mean_{x}"]))]), np.array([[number(F(case[f"var_{x}"]))]]))
        for x in "pq"
    )
    epsilon, pair = number(F(case["epsilon"])), diagonal(p, q)
    assert abs(hockey_stick_mp(pair, epsilon) / MP.mpf(case["delta"]) - 1) < MP.mpf(10) ** -17
    floats = [(float(x.mean[0]), float(x.covariance[0, 0])) for x in (p, q)]
    assert normal_pair.delta(*floats, float(epsilon)) == pytest.approx(float(case["delta"]), rel=1e-12)


@pytest.mark.parametrize("case", GOLDEN["ridge_langevin"])
def test_golden_ridge_laws(case):
    X = np.array([[F(x) for x in row] for row in case["X"]], dtype=object)
    d = X.shape[1]
    run = Run(
        X=X,
        y=np.array([F(y) for y in case["y"]], dtype=object),
        loss="ridge",
        l2=F(case["ridge"]),
        normalizer=case["normalizer"],
        learn=Phase(case["learn_steps"], F(case["step_size"]), F(case["learn_noise_std"]) ** 2),
        requests=(
            Request(
                (case["removed_index"],),
                Phase(case["unlearn_steps"], F(case["step_size"]), F(case["unlearn_noise_std"]) ** 2),
            ),
        ),
        start=Start((F(0),) * d, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", case["learn_steps"]),
        release="final",
    )
    for world, name in (("P", "unlearned"), ("Q", "reference")):
        law = final_law(run, world)
        for ours, golden in zip(law.mean, case[f"mean_{name}"], strict=True):
            assert float(ours) == pytest.approx(float(golden), rel=1e-12)
        expected = np.array(case[f"covariance_{name}"], dtype=float)
        np.testing.assert_allclose(law.covariance.astype(float), expected, rtol=1e-12)
    truth = GaussianTruth(run)
    for order, values in case["renyi_forward_reverse"].items():
        for way, value in zip(WAYS, values, strict=True):
            # Where the golden number is negative its closed form was continued beyond a pole.
            expected = float(value) if float(value) >= 0 else np.inf
            assert float(truth.renyi(way, F(order))[0]) == pytest.approx(expected, rel=1e-9)


def closed(pair, epsilon):
    """delta of two normal laws on the line from their CDFs, in 200 digits."""
    high = MP.clone()
    high.dps = 200
    v, m, e = 1 + high.mpf(pair.extra[0]), high.mpf(pair.nu[0]), high.mpf(epsilon)
    if v == 1:
        mu = abs(m)
        return high.ncdf(mu / 2 - e / mu) - high.exp(e) * high.ncdf(-mu / 2 - e / mu)
    a, b, c = (1 - 1 / v) / 2, m / v, -(m * m / v + high.log(v)) / 2 - e
    square = b * b - 4 * a * c
    if square <= 0:
        return high.mpf(0) if a < 0 else 1 - high.exp(e)
    low, top = sorted((-b + sign * high.sqrt(square)) / (2 * a) for sign in (-1, 1))
    below, above = (low - m) / high.sqrt(v), (top - m) / high.sqrt(v)
    if a < 0:
        return high.ncdf(above) - high.ncdf(below) - high.exp(e) * (high.ncdf(top) - high.ncdf(low))
    outside = high.ncdf(below) + high.ncdf(-above)
    return outside - high.exp(e) * (high.ncdf(low) + high.ncdf(-top))


def random_pair(rng, d):
    """Excess variances from 1e-12 to 1000 of either sign, or none; means from 1e-6 to 30."""
    extra = [rng.choice([0, 1, -0.999]) * 10 ** rng.uniform(-12, 0) for _ in range(d)]
    if rng.random() < 0.2:
        extra[0] = 10 ** rng.uniform(0, 3)
    nu = [10 ** rng.uniform(-6, 1.5) for _ in range(d)]
    return Pair(tuple(MP.mpf(x) for x in extra), tuple(MP.mpf(x) for x in nu))


def test_sticks_on_the_line_have_their_closed_form():
    """Floats to nine digits, MP's numbers to 24, deltas down to 1e-250."""
    rng, seen = np.random.default_rng(0), 0
    while seen < 60:
        pair, epsilon = random_pair(rng, 1), float(10 ** rng.uniform(-6, 2))
        exact = closed(pair, epsilon)
        if exact < MP.mpf(10) ** -250:
            continue
        seen += 1
        assert hockey_stick(pair, epsilon) == pytest.approx(float(exact), rel=1e-9)
        assert abs(hockey_stick_mp(pair, MP.mpf(epsilon)) / exact - 1) < MP.mpf(10) ** -24


def test_sticks_in_two_dimensions_are_integrals_of_sticks_on_the_line():
    rng, x = np.random.default_rng(1), np.linspace(-9, 9, 40001)
    density = (x[1] - x[0]) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    for _ in range(40):
        extra, nu = rng.uniform(-0.8, 2, size=2), rng.normal(size=2)
        pair = Pair(tuple(map(MP.mpf, extra)), tuple(map(MP.mpf, nu)))
        v = 1 + extra[1]
        z = nu[1] + np.sqrt(v) * x
        log_ratio = -(x * x) / 2 - np.log(v) / 2 + z * z / 2
        one = normal_pair.delta((nu[0], 1 + extra[0]), (0.0, 1.0), 0.7 - log_ratio)
        assert hockey_stick(pair, 0.7) == pytest.approx(float(density @ one), abs=1e-7)


def test_floats_and_many_digits_agree_in_many_dimensions():
    rng, seen = np.random.default_rng(2), 0
    while seen < 40:
        pair, epsilon = random_pair(rng, int(rng.integers(2, 7))), float(10 ** rng.uniform(-2, 2))
        rough = hockey_stick(pair, epsilon)
        if rough > 1e-30:
            seen += 1
            assert float(hockey_stick_mp(pair, MP.mpf(epsilon))) == pytest.approx(rough, rel=1e-8)


def test_sticks_below_zero_are_the_other_directions():
    pair = Pair((MP.mpf("0.5"), MP.mpf("-0.3")), (MP.mpf(1), MP.mpf("0.2")))
    swapped = flipped(pair)
    left, right = hockey_stick(pair, -0.7), hockey_stick(swapped, 0.7)
    assert left == pytest.approx(1 - np.exp(-0.7) + np.exp(-0.7) * right, rel=1e-12)
    above = gaussian_stick._search(pair, 0.0)[0]
    assert above == pytest.approx(gaussian_stick._search(swapped, 0.0)[0], rel=1e-9)
    assert float(renyi(pair, MP.mpf(3))) == np.inf


def test_laws_on_different_planes_are_told_apart_for_certain():
    one, zero = MP.mpf(1), MP.mpf(0)
    flat = np.array([[one, zero], [zero, zero]])
    p, q = Normal(np.array([zero, zero]), flat), Normal(np.array([zero, one]), flat)
    assert diagonal(p, q) is None
    assert diagonal(p, Normal(p.mean, np.array([[one, zero], [zero, one]]))) is None
    assert diagonal(p, p).extra == (0,)


@pytest.mark.parametrize("kind", ["line", "gaussian"])
def test_simulation_stays_below_the_exact_oracles_and_gets_near(kind):
    """Three oracles, one truth: 25 runs of each kind, wrong with probability 3e-6 if all is right."""
    near = 0
    for index in range(25):
        run = replace(random_run(kind, index), release="final")
        exact = LineTruth(run) if kind == "line" else GaussianTruth(run)
        try:
            highs = {
                way: [exact.delta(way, F(float(e)), F(1, 100))[1] for e in EPSILONS] for way in WAYS
            }
        except TooFine:
            continue
        drawn = SampledTruth(run, index)
        for way in WAYS:
            lows = drawn.deltas(way, EPSILONS)
            assert (lows <= np.array(highs[way], dtype=float) + 1e-9).all()
            near += bool(lows[0] > 0.5 * float(highs[way][0]) > 0.01)
    assert near >= 10


def test_clopper_pearson_misses_as_often_as_it_says():
    rng, p, n = np.random.default_rng(3), 0.2, 300
    counts = rng.binomial(n, p, size=20000)
    low = clopper_pearson(counts, n, upper=False, level=0.02)
    high = clopper_pearson(counts, n, upper=True, level=0.02)
    assert 0.005 < (low > p).mean() < 0.023
    assert 0.005 < (high < p).mean() < 0.023
    assert clopper_pearson(np.array([0]), n, upper=False)[0] == 0
    assert clopper_pearson(np.array([n]), n, upper=True)[0] == 1
