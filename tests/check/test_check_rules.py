"""Each rule against independent numbers, and each trap of the theory that concerns a checker."""

import json
import math
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from certificate_builder import batch, data_of, eigenvectors, line, phase, run, spell, spelled
from gmpy2 import mpq
from scipy import optimize, stats

from certaudit.check.checker import RULES
from certaudit.check.contour import Angle, Contour, Moments
from certaudit.check.document import number
from certaudit.check.interval import ZERO, hull, precision, real
from certaudit.check.matrix import matrix
from certaudit.check.refusal import Refused, limited
from certaudit.check.run import read_data, read_run
from certaudit.check.statement import Curvature, Gaussian, GaussianDP, HockeyStick, Law, Pair, Renyi
from certaudit.check.steps import Context

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "golden.json").read_text())
BOTH = ("P|Q", "Q|P")
ETA, NOISE = Fraction(1, 2), Fraction(1, 100)


def rows_of(n=9, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X /= np.linalg.norm(X, axis=1)[:, None]
    return X, rng.normal(size=n) / 3


def context_of(X, y, the_run):
    data = data_of(X, y)
    return Context(read_run(the_run, read_data(data["X"], data["y"])))


def small_run(d=3, steps=6, unlearn=4, rows=(2,), **changes):
    return run(d, phase(steps, ETA, NOISE), [(list(rows), phase(unlearn, ETA, NOISE))], **changes)


def state(context, rule, *premises, **witness):
    with limited():
        return RULES[rule](context, list(premises), witness)


def proved(context, lines):
    found = []
    with limited():
        for entry in lines:
            uses = [found[use] for use in entry["uses"]]
            found.append(RULES[entry["rule"]](context, uses, entry["witness"]))
    return found


def contraction_of(context, X, removed=(), members=None, size=ETA):
    kept = [j for j in (range(len(X)) if members is None else members) if j not in removed]
    vectors = eigenvectors(X, kept) if kept else spelled(np.eye(len(X[0])))
    bound = state(context, "curvature", batch=batch(removed, members), vectors=vectors)
    return state(context, "contraction", bound, step_size=spell(size))


def inside(interval, value, relative=1e-12):
    gap = abs(value) * relative
    return float(interval.lo) - gap <= value <= float(interval.hi) + gap


# curvature, contraction


@pytest.mark.parametrize("loss", ["ridge", "logistic", "huber"])
def test_curvature_of_losses(loss):
    X, y = rows_of()
    y = np.sign(y) if loss == "logistic" else y
    changes = {"threshold": "1/4"} if loss == "huber" else {}
    context = context_of(X, y, small_run(loss=loss, **changes))
    found = state(context, "curvature", batch=batch(), vectors=eigenvectors(X))
    kappa = np.linalg.eigvalsh(X.T @ X) / len(X)
    beta = {"ridge": 1, "logistic": 1 / 4, "huber": 1}[loss]
    assert inside(found.L, 0.05 + beta * kappa[-1])
    assert inside(found.m, 0.05 + (kappa[0] if loss == "ridge" else 0))


def gram_context(rows):
    """A run whose X^T X over all rows is that of the rows."""
    return context_of(
        rows, [0] * len(rows), small_run(d=len(rows[0]), rows=(0,), l2="0", normalizer="sum")
    )


def test_a_witness_that_is_not_orthonormal_is_paid_for():
    context = gram_context([[1, 0], [0, 1]])
    wide = state(context, "curvature", batch=batch(), vectors=[["5/4", "0"], ["0", "5/4"]])
    assert wide.m.hi <= 1 <= wide.L.lo
    thin = state(context, "curvature", batch=batch(), vectors=[["3/4", "0"], ["0", "3/4"]])
    assert thin.m.hi <= 1 <= thin.L.lo


@pytest.mark.parametrize("vectors", [[["1"], ["0"]], [["0", "0"], ["0", "0"]], [["2", "0"], ["0", "2"]]])
def test_vectors_that_span_too_little_are_refused(vectors):
    with pytest.raises(Refused):
        state(gram_context([[1, 0], [0, 2]]), "curvature", batch=batch(), vectors=vectors)


def test_nonsense_vectors_only_loosen():
    found = state(
        gram_context([[3, 0], [0, 1]]),
        "curvature",
        batch=batch(),
        vectors=[["5/8", "3/4"], ["-3/4", "5/8"]],
    )
    assert found.m.hi <= 1
    assert found.L.lo >= 9


def test_softmax_clipped_outside_counts_the_regularizer_in_full():
    """4 rows of norm 1, 3 forgotten, l2 8, step 1: distances grow by 7 + 1/8."""
    X, y = np.eye(4)[:, :2] + np.eye(4)[:, 2:], [0, 1, 0, 1]
    the_run = run(
        4,
        phase(1, 1, 0),
        [([0, 1, 2], phase(1, 1, 1))],
        loss="softmax",
        classes=2,
        l2="8",
        clip={"norm": "1/2", "regularizer": False},
    )
    context = context_of(X, y, the_run)
    found = contraction_of(context, X, (0, 1, 2), size=1)
    assert inside(found.c, 7 + 1 / 8)


def test_clip_with_the_regularizer_inside_contracts_nothing():
    X, y = rows_of()
    context = context_of(X, y, small_run(clip={"norm": "1", "regularizer": True}))
    found = contraction_of(context, X, (2,))
    assert inside(found.c, 1 + 0.5 * (8 / 9 + 8 * 0.05 / 9))


def test_clip_of_one_margin_stays_convex_without_the_data_part():
    X, y = rows_of()
    context = context_of(X, y, small_run(clip={"norm": "1", "regularizer": False}))
    found = state(context, "curvature", batch=batch(), vectors=eigenvectors(X))
    assert found.convex
    assert inside(found.m, 0.05)


def test_networks_have_no_known_curvature():
    X, y = rows_of()
    network = {"kind": "mlp", "widths": [2], "activation": "tanh", "image": None, "kernel": 0}
    the_run = small_run(d=3 * 2 + 2 + 2 * 2 + 2, loss="network", classes=2, network=network)
    with pytest.raises(Refused, match="network"):
        contraction_of(context_of(X, (y > 0) * 1, the_run), X)


# sensitivity


def gradient_differences(X, y, kind, removed, current, rng, loss):
    """The largest shift of one step found at random points."""
    kept = [j for j in range(len(X)) if j not in removed]
    worst = 0
    for _ in range(200):
        w = rng.normal(size=X.shape[1]) * 10 ** rng.uniform(-1, 2)
        g = np.array([loss(X[j] @ w, y[j]) * X[j] for j in range(len(X))])
        other = g[kept].sum(0) / (len(kept) if current else len(X))
        worst = max(worst, np.linalg.norm(g.sum(0) / len(X) - other) / 2)
    return worst


@pytest.mark.parametrize("normalizer", ["fixed", "current"])
@pytest.mark.parametrize("rule", ["S1", "S2"])
def test_shifts_of_the_logistic_loss(rule, normalizer):
    X, y = rows_of(seed=4)
    y = np.sign(y)
    X[2] *= 0.3
    context = context_of(X, y, small_run(loss="logistic", normalizer=normalizer))
    found = state(context, rule, last=None)
    shift = float(found.shifts[0][1].hi)
    loss = lambda u, t: -t / (1 + math.exp(min(700, t * u)))
    seen = gradient_differences(
        X, y, rule, (2,), normalizer == "current", np.random.default_rng(0), loss
    )
    assert seen <= shift
    if normalizer == "fixed":
        expected = 0.5 / 9 * (0.3 if rule == "S2" else 1)
    else:
        expected = 0.5 / 9 * (0.3 + (8 / 8) if rule == "S2" else 2)
    assert shift == pytest.approx(expected)
    assert float(found.shifts[-1][1].hi) == 0


def test_ridge_has_no_bounded_slope_without_a_ball():
    X, y = rows_of()
    with pytest.raises(Refused, match="no bounded slope"):
        state(context_of(X, y, small_run()), "S2", last=None)


@pytest.mark.parametrize(
    ("loss", "slope"),
    [("ridge", lambda y: 2 + abs(y)), ("huber", lambda y: min(0.25, 2 + abs(y)))],
)
def test_slopes_within_the_ball(loss, slope):
    X, y = rows_of()
    changes = {"threshold": "1/4"} if loss == "huber" else {}
    context = context_of(X, y, small_run(loss=loss, projection="2", **changes))
    found = state(context, "S2", last=None)
    assert inside(found.shifts[0][1], 0.5 / 9 * slope(y[2]), 1e-9)


def test_logistic_slope_within_the_ball():
    X, y = rows_of()
    context = context_of(X, np.sign(y), small_run(loss="logistic", projection="2"))
    assert inside(state(context, "S2", last=None).shifts[0][1], 0.5 / 9 / (1 + math.exp(-2)), 1e-9)


@pytest.mark.parametrize(
    "start", [{"mean": ["3", "0", "0"], "variance": "0"}, {"mean": ["0"] * 3, "variance": "1"}]
)
def test_a_start_outside_the_ball_confines_nothing(start):
    X, y = rows_of()
    context = context_of(X, y, small_run(projection="2", start=start))
    with pytest.raises(Refused, match="no bounded slope"):
        state(context, "S2", last=None)
    assert state(context, "S2", last=9).last == 9


def test_restarts():
    X, y = rows_of()
    with pytest.raises(Refused, match="projection"):
        state(context_of(X, y, small_run(clip={"norm": "1", "regularizer": True})), "S1", last=3)
    with pytest.raises(Refused, match="earlier step"):
        state(context_of(X, y, small_run(projection="2")), "S1", last=10)


def test_drift_never_vanishes():
    X, y = rows_of()
    context = context_of(X, y, small_run(clip={"norm": "1/2", "regularizer": False}))
    found = state(context, "S1-drift", last=None)
    assert inside(found.steps[0][1], 1 - 0.5 * 0.05)
    assert inside(found.steps[0][2], 0.5 * 0.5 * (1 + 8 / 9))
    assert inside(found.steps[-1][2], 0.5 * 0.5 * (16 / 9))
    clipped = context_of(X, y, small_run(clip={"norm": "1/2", "regularizer": True}))
    assert state(clipped, "S1-drift", last=None).steps[0][1].hi == 1


# laws of ridge


def float_laws(X, y, the_run_steps, start=None):
    """Mean and covariance step by step: (rows, divisor, eta, noise) a step."""
    d = X.shape[1]
    mean, covariance = np.zeros(d), np.zeros((d, d)) if start is None else start * np.eye(d)
    found = [(mean, covariance)]
    for rows, divisor, eta, noise in the_run_steps:
        Z = X[list(rows)]
        A = np.eye(d) * (1 - eta * 0.05) - eta / divisor * Z.T @ Z
        mean = A @ mean + eta / divisor * Z.T @ y[list(rows)]
        covariance = A @ covariance @ A.T + noise * np.eye(d)
        found.append((mean, covariance))
    return found


@pytest.mark.parametrize("world", ["P", "Q"])
@pytest.mark.parametrize("cyclic", [False, True])
def test_residual_law(world, cyclic):
    X, y = rows_of(n=8, seed=2)
    batches = [[0, 1, 2, 3], [4, 5, 6, 7]] if cyclic else []
    learn, unlearn = phase(6, ETA, NOISE, batches), phase(4, ETA, NOISE, batches)
    the_run = run(3, learn, [([2], unlearn), ([5, 0], unlearn)])
    the_run["start"]["variance"] = "1/10"
    context = context_of(X, y, the_run)
    served = [set(), {2}, {2, 5, 0}]
    steps, removed_rows, contractions = [], [], {}
    for stage, count in ((0, 6), (1, 4), (2, 4)):
        gone = served[stage] if world == "P" else served[2]
        for t in range(count):
            members = batches[t % 2] if cyclic else range(8)
            mine = [j for j in members if j not in gone]
            steps.append((mine, len(members), 0.5, 0.01))
            removed_rows.append(sorted(j for j in members if j in served[2] - served[stage]))
            key = (tuple(members) if cyclic else None, tuple(j for j in members if j in gone))
            contractions[key] = None
    lines = [contraction_of(context, X, removed, members) for members, removed in contractions]
    found = state(context, "residual-law", *lines, world=world)
    laws = float_laws(X, y, steps, 0.1)
    assert len(found.laws) == max(t for t, rows in enumerate(removed_rows) if rows) + 1
    for t, entry in enumerate(found.laws):
        assert len(entry) == len(removed_rows[t])
        for row, (mean, variance) in zip(removed_rows[t], entry, strict=True):
            assert inside(mean, X[row] @ laws[t][0] - y[row], 1e-10)
            assert inside(variance, X[row] @ laws[t][1] @ X[row], 1e-10)


def ridge_context(**changes):
    X, y = rows_of(n=9, seed=5)
    context = context_of(X, y, small_run(**changes))
    return X, y, context


def test_residual_law_needs_every_contraction_of_its_world():
    X, _, context = ridge_context()
    with pytest.raises(Refused, match="no contraction"):
        state(context, "residual-law", contraction_of(context, X, (2,)), world="P")
    assert state(context, "residual-law", contraction_of(context, X, (2,)), world="Q").world == "Q"


def residuals(context, X, world="P"):
    removed = () if world == "P" else (2,)
    return state(context, "residual-law", contraction_of(context, X, removed), world=world)


def test_residual_sensitivity():
    X, _, context = ridge_context()
    law = residuals(context, X)
    found = state(context, "S3", law, quantiles=[["3"]] * 6)
    assert found.shifts[0][1].lo > 0
    expected = 0
    for t, ((mean, variance),) in enumerate(law.laws):
        q = abs(float(mean.lo)) + 3 * math.sqrt(float(variance.lo))
        assert inside(found.shifts[t][1], 0.5 / 9 * q, 1e-9)
        if t:
            s = math.sqrt(float(variance.lo))
            expected += stats.norm.sf((q - float(mean.lo)) / s) + stats.norm.cdf(
                (-q - float(mean.lo)) / s
            )
    assert inside(found.delta, expected, 1e-9)
    assert found.shifts[-1][1].hi == 0
    assert found.world == "P"


@pytest.mark.parametrize("quantiles", [[["3"]] * 5, [["3", "3"]] * 6, [["-1"]] * 6])
def test_quantiles_must_fit(quantiles):
    X, _, context = ridge_context()
    with pytest.raises(Refused):
        state(context, "S3", residuals(context, X), quantiles=quantiles)


def test_residual_rules_refuse_a_changing_divisor():
    X, _, context = ridge_context(normalizer="current")
    law = residuals(context, X)
    for rule, witness in (
        ("S3", {"quantiles": [["3"]] * 6}),
        ("R4", {"order": "2", "exponents": ["2"] * 5}),
    ):
        with pytest.raises(Refused, match="divisor"):
            state(context, rule, law, **witness)


def test_exceedance():
    X, _, context = ridge_context()
    law = residuals(context, X)
    found = state(context, "exceedance", law, step=4, sensitivity="1/50")
    ((mean, variance),) = law.laws[3]
    mean, s = float(mean.lo), math.sqrt(float(variance.lo))
    level = 0.02 * 9 / 0.5
    assert inside(
        found.probability, stats.norm.sf((level - mean) / s) + stats.norm.cdf((-level - mean) / s), 1e-9
    )
    assert state(context, "exceedance", law, step=9, sensitivity="0").probability.hi == 0
    with pytest.raises(Refused):
        state(context, "exceedance", law, step=11, sensitivity="0")
    assert state(context, "exceedance", law, step=1, sensitivity="0").probability.lo == 1


def test_a_row_of_1e_minus_200_does_not_vanish():
    X, y = rows_of()
    X[2] *= 1e-200
    context = context_of(X, y, small_run())
    law = residuals(context, X)
    found = state(context, "S3", law, quantiles=[["3"]] * 6)
    assert float(found.shifts[3][1].lo) > 1e-203
    assert law.laws[3][0][1].lo > 0


# margins


@pytest.mark.parametrize("loss", ["logistic", "huber"])
def test_margin_law_and_its_use(loss):
    X, y = rows_of(n=9, seed=6)
    y = np.sign(y) if loss == "logistic" else y
    changes = {"threshold": "1/4"} if loss == "huber" else {}
    context = context_of(X, y, small_run(loss=loss, **changes))
    law = state(context, "margin-law", contraction_of(context, X), world="P")
    w, slope = np.zeros(3), lambda u, t: -t / (1 + np.exp(t * u))
    if loss == "huber":
        slope = lambda u, t: np.clip(u - t, -0.25, 0.25)
    c = float(contraction_of(context, X).c.hi)
    spread = bias = 0.0
    for t in range(6):
        ((margin, tau, b),) = law.laws[t]
        assert inside(margin, X[2] @ w, 1e-9) or t == 0
        assert inside(tau, math.sqrt(spread), 1e-9)
        assert inside(b, bias, 1e-9)
        w = w * (1 - 0.025) - 0.5 / 9 * X.T @ slope(X @ w, y)
        after = c * c * spread + 0.01
        far = math.sqrt(3 * after)
        near = c * bias + 0.5 / 9 * 9 * spread / 2 / (6 * math.sqrt(3))
        bias = min(far, near) if loss == "logistic" else far
        spread = after
    found = state(context, "S4", law, share="1/1000")
    assert inside(found.delta, 5e-3)
    ((margin, tau, b),) = law.laws[3]
    wide = float(tau.hi) * math.sqrt(2 * math.log(2000)) + float(b.hi)
    ends = [abs(slope(float(margin.lo) + side * wide, y[2])) for side in (-1, 1)]
    assert inside(found.shifts[3][1], 0.5 / 9 * max(ends), 1e-9)


@pytest.mark.parametrize("changes", [{"projection": "2"}, {"clip": {"norm": "1", "regularizer": False}}])
def test_margins_need_a_plain_run(changes):
    X, y = rows_of()
    context = context_of(X, np.sign(y), small_run(loss="logistic", **changes))
    with pytest.raises(Refused, match="projection or a clip"):
        state(context, "margin-law", contraction_of(context, X), world="P")


# iteration


def abstract_energy(stretches, split, start=0):
    from certaudit.check.rules_iteration import Stretch, _energy, _merged

    listed = [Stretch(n, real(mpq(c)), real(mpq(s)), mpq(v)) for n, c, s, v in stretches]
    blocks = [{"count": n, "first": spell(a), "ratio": spell(r)} for n, a, r in split]
    with limited():
        return _energy(_merged(listed), blocks, real(mpq(start)))


@pytest.mark.parametrize("case", GOLDEN["contractive_iteration"])
def test_iteration_golden(case):
    """The best split, found in floats, is worth the golden minimum; a random one costs more."""
    c, s, sigma = (
        [Fraction(x) for x in case[key]] for key in ("contraction", "sensitivity", "noise_std")
    )
    n, z = len(c), float(Fraction(case["initial_distance"]))
    later = np.ones(n)
    for t in reversed(range(n - 1)):
        later[t] = later[t + 1] * float(c[t + 1])
    u = [later[t] * float(s[t]) for t in range(n)]
    u[0] += later[0] * float(c[0]) * z
    w = [later[t] ** 2 * float(sigma[t]) ** 2 for t in range(n)]
    pools = []
    for t in range(n):
        pool = [u[t], w[t], 1]
        while pools and pools[-1][0] * pool[1] >= pool[0] * pools[-1][1]:
            last = pools.pop()
            pool = [a + b for a, b in zip(pool, last, strict=True)]
        pools.append(pool)
    rates = [p[0] / p[1] if p[1] else 0 for p in pools for _ in range(p[2])]
    split = [Fraction(max(0, rates[t] * w[t] / later[t]) * (1 - 1e-13)) for t in range(n)]
    golden = float(case["mu_squared"])
    while sigma[n - 1] == 0 and s[n - 1] == 0:
        n -= 1
    if math.isinf(golden):
        return
    stretches = [(1, c[t], s[t], sigma[t] ** 2) for t in range(len(c))]
    found = abstract_energy(
        stretches, [(1, a, 1) for a in split[: n - 1]], Fraction(case["initial_distance"])
    )
    assert float(found.hi) == pytest.approx(golden, rel=1e-9)
    assert float(found.hi) >= golden * (1 - 1e-15)
    rng = np.random.default_rng(n)
    for _ in range(10):
        other = [(1, Fraction(float(a) * rng.uniform(0, 2)), 1) for a in split[: n - 1]]
        try:
            worse = abstract_energy(stretches, other, Fraction(case["initial_distance"]))
        except Refused:
            continue
        assert float(worse.hi) >= golden * (1 - 1e-12)


def test_a_dip_inside_a_block_is_refused():
    with pytest.raises(Refused, match="inside"):
        abstract_energy([(3, 2, 1, 1)], [(2, Fraction(4, 3), Fraction(1, 2))])
    with pytest.raises(Refused, match="more than is there"):
        abstract_energy([(3, 2, 1, 1)], [(1, Fraction(4, 3), 1), (1, Fraction(2, 3), 1)])


@pytest.mark.parametrize("a", [0, Fraction(1, 200), Fraction(1, 100)])
@pytest.mark.parametrize("r", [1, Fraction(3, 2), 2])
def test_blocks_equal_single_steps(a, r):
    for c, s, z, n in ((2, 1, 0, 5), (Fraction(9, 10), Fraction(1, 10), 3, 7), (1, 0, 1, 3)):
        block = abstract_energy([(n + 1, c, s, 1)], [(n, a, r)], z)
        single = abstract_energy([(n + 1, c, s, 1)], [(1, a * Fraction(r) ** t, 1) for t in range(n)], z)
        assert float(block.hi) == pytest.approx(float(single.hi), rel=1e-12)


def test_a_block_erases_no_more_than_there_is():
    for count, first, ratio in ((5, 5, 1), (5, 1, 2), (1, Fraction(10**12 + 1, 10**12), 1)):
        with pytest.raises(Refused, match="more than is there"):
            abstract_energy([(6, 1, 1, 1)], [(count, first, ratio), (5 - count, 0, 1)][: 6 - count])
    assert abstract_energy([(2, 1, 1, 1)], [(1, 1, 1)]).hi >= 2


def test_noiseless_steps_erase_nothing():
    with pytest.raises(Refused, match="noise"):
        abstract_energy([(1, 1, 1, 0), (1, 1, 0, 1)], [(1, Fraction(1, 2), 1)])
    with pytest.raises(Refused, match="noise"):
        abstract_energy([(1, 1, 0, 1), (1, 1, 1, 0)], [(1, 0, 1)])
    after = abstract_energy([(2, 1, 1, 1), (3, 1, 0, 0)], [(1, 1, 1)])
    assert after.hi == 2
    assert abstract_energy([(4, 1, 0, 0)], []).hi == 0


@pytest.mark.parametrize("split", [[], [(3, 0, 1)], [(1, 0, 1)], [(1, 0, 1)] * 3])
def test_a_split_covers_all_steps_but_the_last(split):
    with pytest.raises((Refused, IndexError)):
        abstract_energy([(3, 1, 1, 1)], split)


def test_a_billion_steps():
    found = abstract_energy([(10**9, Fraction(999, 1000), 1, 1)], [(10**9 - 1, 1, 1)])
    assert float(found.hi) == pytest.approx(1e9)


def test_which_contractions_iteration_takes():
    X, _, context = ridge_context()
    law = residuals(context, X)
    shift = state(context, "S3", law, quantiles=[["4"]] * 6)
    split = [{"count": 1, "first": "0", "ratio": "1"}] * 9
    q_line, p_line = contraction_of(context, X, (2,)), contraction_of(context, X)
    found = state(context, "I1", shift, q_line, split=split)
    assert found.directions == ("P|Q",)
    assert found.delta.lo > 0
    with pytest.raises(Refused, match="no contraction"):
        state(context, "I1", shift, p_line, split=split)


@pytest.mark.parametrize(
    "reference",
    [{"unlearn_variance": "1/50"}, {"output_variance": "1/50"}, {"steps": 7}],
)
def test_worlds_that_differ_are_not_composed(reference):
    X, y = rows_of()
    the_run = small_run(clip={"norm": "1", "regularizer": False})
    the_run["reference"].update(reference)
    context = context_of(X, y, the_run)
    with pytest.raises(Refused):
        state(context, "I2", state(context, "S1", last=None))


def test_composition():
    X, y = rows_of()
    context = context_of(X, y, small_run(clip={"norm": "1", "regularizer": False}))
    found = state(context, "I2", state(context, "S2", last=None))
    assert inside(found.mu, math.sqrt(6) * 0.5 / 9 / 0.1, 1e-9)
    assert found.observer == "every-step"


# Rényi


def test_decay_telescopes():
    X, _, context = ridge_context()
    r4 = state(context, "R4", residuals(context, X), order="3/2", exponents=["4"] * 5)
    line_q = contraction_of(context, X, (2,))
    found = state(context, "R2", r4, line_q)
    c, C, factor = float(line_q.c.hi), 0.0, 1.0
    for t in range(10):
        new = c * c * C + 0.01
        if t >= 6:
            factor *= c * c * C / new
        C = new
    assert float(found.r.hi) == pytest.approx(float(r4.r.hi) * factor ** (1 / 1.5))
    assert found.observer == "final"
    with pytest.raises(Refused, match="no contraction"):
        state(context, "R2", r4, contraction_of(context, X))


def test_adaptive_composition_bounds_the_exact_divergence():
    X, _, context = ridge_context()
    law = residuals(context, X)
    r4 = state(context, "R4", law, order="3/2", exponents=["4"] * 5)
    alpha, r = 1.5, 0.0
    for t in reversed(range(6)):
        ((mean, variance),) = law.laws[t]
        mean, variance = float(mean.lo), float(variance.lo)
        p = 4 if t else 1
        kappa = p * (alpha - 1) * alpha * (0.5 / 9) ** 2 / (2 * 0.01)
        log = kappa * mean**2 / (1 - 2 * kappa * variance) - math.log(1 - 2 * kappa * variance) / 2
        r += log / (p * (alpha - 1))
        alpha = 1 + (alpha - 1) * p / (p - 1) if t else alpha
    assert float(r4.r.hi) == pytest.approx(r)
    with pytest.raises(Refused):
        state(context, "R4", law, order="100000", exponents=["4"] * 5)
    with pytest.raises(Refused):
        state(context, "R4", law, order="3/2", exponents=["1"] * 5)
    final = state(context, "E1", bases=[])
    vectors, scales, _ = stand_in_of(final, "P|Q")
    exact = state(None, "E3", final, direction="P|Q", order="3/2", vectors=vectors, l=scales)
    assert 0 < exact.r.hi <= r4.r.hi


# conversions


def gaussian_dp(mu, delta=0, directions=BOTH, observer="final"):
    return GaussianDP(directions, observer, "upper", real(mpq(mu)), real(mpq(delta)))


def test_gaussian_to_renyi():
    found = state(None, "R1", gaussian_dp(2), order="3")
    assert found.r.hi == 6
    with pytest.raises(Refused, match="slack"):
        state(None, "R1", gaussian_dp(2, mpq(1, 10**9)), order="3")
    with pytest.raises(Refused, match="order"):
        state(None, "R1", gaussian_dp(2), order="1")


def best_tangent(alpha, r, epsilon):
    """delta by the definition of C3, and its tangents, in floats."""
    g = lambda p, q: p**alpha * q ** (1 - alpha) + (1 - p) ** alpha * (1 - q) ** (1 - alpha)
    bound = math.exp((alpha - 1) * r)

    def gain(q):
        if g(1 - 1e-15, q) <= bound:
            return 1 - math.exp(epsilon) * q, 1.0
        p = optimize.brentq(lambda p: g(p, q) - bound, q, 1 - 1e-15)
        return p - math.exp(epsilon) * q, p

    logs = np.linspace(-40, -0.1, 4000)
    best = max(logs, key=lambda x: gain(math.exp(x))[0])
    sharp = optimize.minimize_scalar(
        lambda x: -gain(math.exp(x))[0],
        bounds=(best - 0.02, best + 0.02),
        method="bounded",
        options={"xatol": 1e-9},
    )
    q = math.exp(sharp.x)
    return gain(q)[0], q, gain(q)[1]


@pytest.mark.parametrize(("alpha", "r", "epsilon"), [(4, 0.5, 1.0), (8, 0.1, 0.5), (2, 1.0, 2.0)])
def test_tangent_gives_the_best_delta(alpha, r, epsilon):
    truth, q, p = best_tangent(alpha, r, epsilon)
    line = Renyi(("P|Q",), "final", "upper", mpq(alpha), real(mpq(r)))
    found = state(
        None,
        "C3",
        line,
        epsilon=spell(Fraction(epsilon)),
        log_inside=spell(Fraction(math.log(p / q))),
        log_outside=spell(Fraction(math.log((1 - p) / (1 - q)))),
    )
    assert float(found.delta.hi) == pytest.approx(truth, rel=1e-3)
    assert float(found.delta.hi) >= truth * (1 - 1e-9)
    assert found.kind == "upper"


@pytest.mark.parametrize("log_inside", ["1/100", "1", "10", "1000"])
@pytest.mark.parametrize("log_outside", ["-1000", "-1", "0", "1/200"])
def test_any_tangent_is_sound_and_none_cancels_to_0(log_inside, log_outside):
    line = Renyi(("P|Q",), "final", "upper", mpq(4), real(mpq(1, 2)))
    found = state(None, "C3", line, epsilon="1", log_inside=log_inside, log_outside=log_outside)
    assert float(found.delta.hi) >= best_tangent(4, 0.5, 1.0)[0] * (1 - 1e-6)


def test_tangents_that_say_nothing():
    line = Renyi(("P|Q",), "final", "upper", mpq(4), real(mpq(1, 2)))
    for pair in (("0", "0"), ("-1", "1")):
        with pytest.raises(Refused):
            state(None, "C3", line, epsilon="1", log_inside=pair[0], log_outside=pair[1])
    with pytest.raises((Refused, ArithmeticError)):
        state(None, "C3", line, epsilon="1", log_inside="1p-100000", log_outside="0")


@pytest.mark.parametrize("case", GOLDEN["conversions"][:6])
def test_tangent_at_least_as_good_as_the_golden_conversions(case):
    """C2 is C3 with no tangent outside, so at C2's epsilon C3 proves its delta."""
    alpha, r, epsilon = (Fraction(case[key]) for key in ("alpha", "renyi", "canonne_kamath_steinke"))
    line = Renyi(("P|Q",), "final", "upper", mpq(alpha), real(mpq(r)))
    inside_log = Fraction(float(epsilon) + math.log(alpha / (alpha - 1)) - 1e-12)
    found = state(
        None, "C3", line, epsilon=spell(epsilon), log_inside=spell(inside_log), log_outside="-2000"
    )
    assert float(mpq(found.delta.hi) / mpq(case["delta"])) == pytest.approx(1, abs=1e-6)


def test_gaussian_to_delta():
    found = state(None, "C5", gaussian_dp(1, mpq(1, 1000)), epsilon="1")
    truth = stats.norm.cdf(-0.5) - math.e * stats.norm.cdf(-1.5) + 0.001
    assert float(found.delta.hi) == pytest.approx(truth)
    assert state(None, "C5", gaussian_dp(0), epsilon="1").delta.hi == 0


def sticks(deltas, epsilons, directions=("P|Q",), kind="upper"):
    return [
        HockeyStick(directions, "final", kind, mpq(e), real(mpq(x)))
        for e, x in zip(epsilons, deltas, strict=True)
    ]


def test_cover():
    epsilons = [mpq(k, 20) for k in range(200)]
    curve = [
        state(None, "C5", gaussian_dp(1), epsilon=spell(Fraction(int(e * 20), 20))).delta.hi
        for e in epsilons
    ]
    lines = sticks(curve, epsilons)
    found = state(None, "C5-cover", *lines, mu="23/20", delta="1/1000000")
    assert found.directions == ("P|Q",)
    for wrong in (lines[1:], lines[::-1], [*lines[:5], lines[5], lines[5]]):
        with pytest.raises(Refused):
            state(None, "C5-cover", *wrong, mu="23/20", delta="1/1000000")
    for mu, delta in (("1", "0"), ("1/2", "1/10"), ("23/20", "0")):
        with pytest.raises(Refused):
            state(None, "C5-cover", *lines, mu=mu, delta=delta)
    with pytest.raises(Refused):
        state(None, "C5-cover", *sticks(curve, epsilons, kind="lower"), mu="23/20", delta="1/1000000")


# the exact tier


@pytest.mark.parametrize("case", GOLDEN["ridge_langevin"])
@pytest.mark.parametrize("with_bases", [False, True])
def test_law_golden(case, with_bases):
    if case["normalizer"] not in ("fixed", "current", "sum"):
        pytest.skip("another normalizer")
    X = [[Fraction(x) for x in row] for row in case["X"]]
    y = [Fraction(x) for x in case["y"]]
    gone = case["removed_index"]
    noise = [Fraction(case[key]) ** 2 for key in ("learn_noise_std", "unlearn_noise_std")]
    eta = Fraction(case["step_size"])
    start = case["start"]
    the_run = run(
        len(X[0]),
        phase(case["learn_steps"], eta, noise[0]),
        [([gone], phase(case["unlearn_steps"], eta, noise[1]))],
        l2=spell(Fraction(case["ridge"])),
        normalizer=case["normalizer"],
    )
    if start != "zeros":
        pytest.skip(f"another start: {start}")
    context = context_of(X, y, the_run)
    floats = np.array([[float(x) for x in row] for row in X])
    kept = [j for j in range(len(X)) if j != gone]
    bases = []
    if with_bases:
        for removed, rows in (([], range(len(X))), ([gone], kept)):
            bases.append({"batch": batch(removed), "vectors": eigenvectors(floats, rows)})
    law = state(context, "E1", bases=bases)
    relative = 1e-9 if with_bases else 1e-13
    for found, mean, covariance in (
        (law.p, "mean_unlearned", "covariance_unlearned"),
        (law.q, "mean_reference", "covariance_reference"),
    ):
        for entry, value in zip(found.mean.entries(), case[mean], strict=True):
            assert inside(entry, float(value), relative)
        for row, values in enumerate(case[covariance]):
            for entry, value in zip(found.covariance.entries(row), values, strict=True):
                assert inside(entry, float(value), relative)
                assert float(entry.hi - entry.lo) < 1e-11
    for order, values in case["renyi_forward_reverse"].items():
        for direction, value in zip(BOTH, values, strict=True):
            vectors, scales, _ = stand_in_of(law, direction)
            steep = max(float(number(x)) for x in scales) * (float(Fraction(order)) - 1)
            if steep > 1:
                vector = [row[-1] for row in vectors]
                state(None, "E3-infinite", law, direction=direction, order=order, vector=vector)
                with pytest.raises(Refused, match="infinite"):
                    state(None, "E3", law, direction=direction, order=order, vectors=vectors, l=scales)
                continue
            found = state(None, "E3", law, direction=direction, order=order, vectors=vectors, l=scales)
            assert inside(found.r, float(value), 1e-10)
            assert float(found.r.hi - found.r.lo) <= 1e-7


def floats_of(law, direction):
    first, second = law.pair(direction)
    middle = lambda m: np.array([[float(x.lo) for x in m.entries(row)] for row in range(m.height)])
    return (
        middle(first.mean)[0],
        middle(first.covariance),
        middle(second.mean)[0],
        middle(second.covariance),
    )


def stand_in_of(law, direction):
    """V, l, nu in floats."""
    m1, S1, m2, S2 = floats_of(law, direction)
    L = np.linalg.inv(np.linalg.cholesky(S2))
    values, U = np.linalg.eigh(L @ S1 @ L.T)
    V = L.T @ U
    return spelled(V), spelled(values - 1), spelled(V.T @ (m1 - m2))


def test_long_phases_go_by_powers():
    X, y = rows_of(n=6)
    the_run = run(3, phase(10**9, Fraction(1, 10), NOISE), [([2], phase(10**6, Fraction(1, 10), NOISE))])
    law = state(context_of(X, y, the_run), "E1", bases=[])
    kept = [0, 1, 3, 4, 5]
    H = 0.05 * np.eye(3) + X[kept].T @ X[kept] / 6
    A = np.eye(3) - 0.1 * H
    stationary = 0.01 * np.linalg.inv(np.eye(3) - A @ A)
    _, S, _, _ = floats_of(law, "P|Q")
    assert np.allclose(S, stationary, rtol=1e-9)


def test_cyclic_phases_go_by_rounds():
    X, y = rows_of(n=6)
    batches = [[0, 1], [2, 3], [4, 5]]
    the_run = run(3, phase(10, ETA, NOISE, batches), [([2], phase(4, ETA, NOISE, batches))])
    law = state(context_of(X, y, the_run), "E1", bases=[])
    steps = [(batches[t % 3], 2, 0.5, 0.01) for t in range(10)]
    steps += [([j for j in batches[t % 3] if j != 2], 2, 0.5, 0.01) for t in range(4)]
    mean, covariance = float_laws(X, y, steps)[-1]
    m, S, _, _ = floats_of(law, "P|Q")
    assert np.allclose(m, mean, rtol=1e-11)
    assert np.allclose(S, covariance, rtol=1e-11)


@pytest.mark.parametrize("changes", [{"projection": "2"}, {"clip": {"norm": "9", "regularizer": False}}])
def test_the_law_needs_a_plain_run(changes):
    X, y = rows_of()
    with pytest.raises(Refused):
        state(context_of(X, y, small_run(**changes)), "E1", bases=[])


def test_a_base_that_is_not_one_only_loosens():
    X, y = rows_of()
    context = context_of(X, y, small_run())
    good = state(context, "E1", bases=[])
    bad = [[spell(x) for x in row] for row in (np.eye(3) * 1.2)]
    law = state(context, "E1", bases=[{"batch": batch(), "vectors": bad}])
    _, S, _, _ = floats_of(good, "P|Q")
    for row in range(3):
        for column, entry in enumerate(law.p.covariance.entries(row)):
            assert float(entry.lo) <= S[row, column] <= float(entry.hi)


def law_1d(m1, v1, m2, v2):
    one = lambda m, v: Gaussian(matrix([[mpq(m)]]), matrix([[mpq(v)]]))
    return Law(one(m1, v1), one(m2, v2))


@pytest.mark.parametrize("case", GOLDEN["gaussian_pair_1d"])
def test_one_dimension_golden(case):
    law = law_1d(*(case[key] for key in ("mean_p", "var_p", "mean_q", "var_q")))
    found = state(None, "C6-1d", law, direction="P|Q", epsilon=case["epsilon"])
    assert abs(float(mpq(found.delta.lo)) / float(case["delta"]) - 1) < 1e-15
    assert float((found.delta.hi - found.delta.lo) / found.delta.hi) < 1e-60
    swapped = state(None, "C6-1d", Law(law.q, law.p), direction="Q|P", epsilon=case["epsilon"])
    assert swapped.delta.same(found.delta)


def test_one_dimension_corners():
    equal = law_1d(1, 1, 0, 1)
    found = state(None, "C6-1d", equal, direction="P|Q", epsilon="1")
    assert inside(found.delta, stats.norm.cdf(-0.5) - math.e * stats.norm.cdf(-1.5), 1e-12)
    assert state(None, "C6-1d", law_1d(1, 0, 0, 0), direction="P|Q", epsilon="1").delta.lo == 1
    assert state(None, "C6-1d", law_1d(1, 0, 1, 0), direction="P|Q", epsilon="1").delta.hi == 0
    narrow = state(None, "C6-1d", law_1d(0, mpq(1, 2), 0, 1), direction="P|Q", epsilon="5")
    assert narrow.delta.hi == 0


def test_half_space():
    law = law_1d(1, 1, 0, 1)
    found = state(None, "C6-event", law, direction="P|Q", epsilon="1", normal=["1"], threshold="3/2")
    assert found.kind == "lower"
    assert inside(found.delta, stats.norm.sf(0.5) - math.e * stats.norm.sf(1.5), 1e-12)
    points = law_1d(1, 0, 0, 0)
    assert (
        state(
            None, "C6-event", points, direction="P|Q", epsilon="9", normal=["1"], threshold="1/2"
        ).delta.lo
        == 1
    )


def test_infinite_divergence():
    law = law_1d(0, 3, 0, 1)
    assert math.isinf(state(None, "E3-infinite", law, direction="P|Q", order="2", vector=["1"]).r.lo)
    for order, laws in (("3/2", law), ("2", law_1d(0, 2, 0, 1)), ("2", law_1d(0, 0, 0, 0))):
        with pytest.raises(Refused, match="finite"):
            state(None, "E3-infinite", laws, direction="P|Q", order=order, vector=["1"])


def test_renyi_past_its_last_order_is_refused():
    law = law_1d(0, 3, 0, 1)
    with pytest.raises(Refused):
        state(None, "E3", law, direction="P|Q", order="2", vectors=[["1"]], l=["2"])
    found = state(None, "E3", law, direction="P|Q", order="5/4", vectors=[["1"]], l=["2"])
    assert inside(found.r, -(math.log(0.5) + 0.25 * math.log(3)) / 0.5, 1e-12)


def test_renyi_takes_the_means_of_the_laws():
    law = law_1d(3, 1, 0, 1)
    found = state(None, "E3", law, direction="P|Q", order="2", vectors=[["1"]], l=["0"])
    assert inside(found.r, 9)


def plane(mean, covariance=((1, 0), (0, 1))):
    return Gaussian(
        matrix([[mpq(x) for x in mean]]), matrix([[mpq(x) for x in row] for row in covariance])
    )


def test_a_stand_in_of_a_projection_is_refused():
    """One column of two: delta(0) would be 0 where it is 0.3829."""
    law = Law(plane((0, 1)), plane((0, 0)))
    with pytest.raises(Refused):
        state(None, "C7b", law, direction="P|Q", vectors=[["1"], ["0"]], l=["0"], nu=["0"])
    with pytest.raises(Refused, match="too far"):
        state(
            None,
            "C7b",
            law,
            direction="P|Q",
            vectors=[["1", "0"], ["0", "0"]],
            l=["0", "0"],
            nu=["0", "0"],
        )
    exact = state(
        None, "C7b", law, direction="P|Q", vectors=[["1", "0"], ["0", "1"]], l=["0", "0"], nu=["0", "1"]
    )
    assert exact.phi.hi < 1e-60


@pytest.mark.parametrize(
    ("scales", "nu"), [(["-1", "0"], ["0", "1"]), (["0", "0"], ["0", "5/4"]), (["1/5", "0"], ["0", "1"])]
)
def test_a_stand_in_that_is_far_is_refused(scales, nu):
    law = Law(plane((0, 1)), plane((0, 0)))
    with pytest.raises(Refused):
        state(None, "C7b", law, direction="P|Q", vectors=[["1", "0"], ["0", "1"]], l=scales, nu=nu)


def test_the_dimension_d_80_has_its_true_delta():
    """80 coordinates whose pivots multiply to 1e-80: the closed form of the product is not needed."""
    scales = ["-9/10"] * 80
    pair = Pair("P|Q", tuple(mpq(number(x)) for x in scales), (mpq(0),) * 80, ZERO)
    found = state(
        None,
        "C6",
        pair,
        epsilon="80",
        gamma="1p-200",
        line="1/2",
        width="49/100",
        h="1/25",
        n=2000,
        bits=128,
    )
    truth = chi_square_delta(80, 0.1, 80)
    assert inside(found.delta, truth, 1e-6)


def chi_square_delta(d, variance, epsilon):
    """P = N(0, v I): log p/q = (1/v - 1)(-|x|^2/2) - d log(v)/2 > eps on a ball."""
    radius = 2 * (-d * math.log(variance) / 2 - epsilon) / (1 / variance - 1)
    return stats.chi2.cdf(radius / variance, d) - math.exp(epsilon) * stats.chi2.cdf(radius, d)


# contours


def gauss_pair(mu=1, phi=ZERO):
    return Pair("P|Q", (mpq(0),), (mpq(mu),), phi)


def equal_cells(end, step):
    return [spell(Fraction(j) * step) for j in range(int(end / step) + 1)]


def hyperbola(**changes):
    """A contour for N(1, 1) against N(0, 1) at epsilon 1."""
    h = Fraction(1, 8)
    found = {
        "epsilon": "1",
        "gamma": "1p-100",
        "m": "3/2",
        "b": "1",
        "theta": "0",
        "lo": "-3/4",
        "hi": "3/4",
        "h": spell(h),
        "n": 30,
        "lo_cells": equal_cells(5, Fraction(1, 32)),
        "hi_cells": equal_cells(5, Fraction(1, 32)),
        "tail_cells": [spell(31 * h + Fraction(j, 32)) for j in range(40)],
        "bits": 128,
    }
    return {**found, **changes}


def test_hyperbola():
    truth = float(mpmath.ncdf(-0.5) - mpmath.e * mpmath.ncdf(-1.5))
    found = state(None, "C7", gauss_pair(), **hyperbola())
    assert found.delta.lo < found.delta.hi
    assert float(found.delta.lo) <= truth <= float(found.delta.hi)
    assert float(found.delta.hi - found.delta.lo) < 1e-8
    assert found.kind == "exact"


def test_hyperbola_in_the_middle_gap():
    """Foci between -1 and 0: the residue is 1."""
    truth = float(mpmath.ncdf(2.3) - mpmath.e * mpmath.ncdf(-2.7))
    found = state(None, "C7", gauss_pair(5), **hyperbola(m="-1/2", b="1/2"))
    assert float(found.delta.lo) <= truth <= float(found.delta.hi)


@pytest.mark.parametrize(
    "changes",
    [
        {"b": "-1"},
        {"b": "0"},
        {"m": "1/2"},
        {"m": "-2", "b": "2"},
        {"h": "-1/8"},
        {"h": "0"},
        {"n": -1},
        {"n": 20_001},
        {"n": 29},
        {"theta": "3/4"},
        {"theta": "1"},
        {"lo": "-8/5"},
        {"hi": "8/5"},
        {"hi": "4/5"},
        {"gamma": "0"},
        {"gamma": "-1"},
        {"lo_cells": equal_cells(5, Fraction(1, 32))[1:]},
        {"lo_cells": equal_cells(1, Fraction(1, 32))},
        {"hi_cells": equal_cells(5, Fraction(1, 32))[::-1]},
        {"hi_cells": []},
        {"tail_cells": []},
        {"tail_cells": ["5", "6"]},
        {"tail_cells": ["-1", "6"]},
        {"bits": 5000},
    ],
)
def test_contours_that_show_nothing(changes):
    with pytest.raises(Refused):
        state(None, "C7", gauss_pair(), **hyperbola(**changes))


def test_edges_open_the_right_way():
    """l = 1/2 and kappa of either sign: the edge on the wrong side has an infinite integral."""
    pair = Pair("P|Q", (mpq(1, 2),), (mpq(1, 4),), ZERO)
    witness = hyperbola(m="1/2", b="1/2", theta="-1/2", lo="-1", hi="0")
    found = state(None, "C7", pair, **witness)
    law = law_1d(mpq(1, 4), mpq(3, 2), 0, 1)
    exact = state(None, "C6-1d", law, direction="P|Q", epsilon="1")
    assert found.delta.lo <= exact.delta.lo <= exact.delta.hi <= found.delta.hi
    with pytest.raises(Refused, match="opens"):
        state(None, "C7", pair, **{**witness, "theta": "1/2", "lo": "0", "hi": "1"})


@pytest.mark.parametrize("seed", range(8))
def test_bounds_along_an_edge_hold_the_integrand(seed):
    """Both bounds of a cell, and the one beyond the cells, against values of |g|."""
    rng = np.random.default_rng(seed)
    scales = [Fraction(float(x)) for x in rng.uniform(-0.9, 2, 3) * 10.0 ** rng.integers(-12, 1, 3)] + [
        Fraction(0)
    ]
    scales = scales[: int(rng.integers(1, 5))]
    nu = [Fraction(float(x)) for x in rng.normal(size=len(scales))]
    moments = Moments(Pair("P|Q", tuple(map(mpq, scales)), tuple(map(mpq, nu)), ZERO), real(mpq(1)))
    top = max([*(float(x) for x in scales), 0.3])
    m, b = mpq(4, 10) / mpq(top), mpq(3, 10) / mpq(top)
    contour = Contour(moments, m, b)
    assert contour.residue.is_zero()

    def size(x, y):
        zeta = mpmath.mpc(x, y)
        s = mpmath.mpf(int(m.numerator)) / int(m.denominator)
        slope = mpmath.mpf(int(b.numerator)) / int(b.denominator)
        s = s + 1j * slope * mpmath.sinh(zeta)
        log = -s * 1 + mpmath.log(abs(slope * mpmath.cosh(zeta))) - mpmath.log(s * (s + 1))
        for scale, mean in zip(scales, nu, strict=True):
            l, v = (mpmath.mpf(t.numerator) / t.denominator for t in (scale, mean))
            log += s * (s + 1) * v**2 / (2 * (1 - l * s)) - mpmath.log(1 - l * s) / 2
            log -= s * mpmath.log(1 + l) / 2
        return mpmath.exp(mpmath.re(log))

    with limited(10**9), precision(192), mpmath.workdps(50):
        for y in (mpq(0), mpq(1, 2), mpq(-1, 2), mpq(9, 8), mpq(-9, 8)):
            angle = Angle(*real(y).cos_sin())
            for start, width in ((0, 8), (1, 8), (3, 2), (9, 4), (20, 2)):
                low, high = mpq(start), mpq(start) + mpq(1, width)
                bounds = [contour._cell(low, high, angle)]
                bounds.append(contour._level(hull(real(low), real(high)), angle))
                for part in np.linspace(0, 1, 7):
                    found = size(start + part / width, float(y))
                    for bound in bounds:
                        assert mpmath.mpf(str(bound.hi)) >= found * (1 - mpmath.mpf(10) ** -9)
            try:
                beyond = contour._beyond(real(12), angle, mpq(0))
            except Refused:
                continue
            for x in (12, 12.5, 14, 20):
                assert mpmath.mpf(str(beyond.hi)) >= size(x, float(y)) / 2


def test_a_focus_beyond_a_singularity():
    pair = Pair("P|Q", (mpq(1, 2),), (mpq(1, 4),), ZERO)
    with pytest.raises(Refused, match="singularity"):
        state(None, "C7", pair, **hyperbola())


def test_a_loose_stand_in_costs():
    tight = state(None, "C7", gauss_pair(), **hyperbola())
    loose = state(None, "C7", gauss_pair(phi=real(mpq(1, 10**6))), **hyperbola(gamma="1/1000"))
    assert loose.delta.lo < tight.delta.lo < tight.delta.hi < loose.delta.hi
    useless = state(None, "C7", gauss_pair(phi=real(mpq(1, 10))), **hyperbola(gamma="1/1000"))
    assert useless.delta.lo == 0
    assert useless.delta.hi == 1


def test_vertical_line():
    truth = float(mpmath.ncdf(-0.5) - mpmath.e * mpmath.ncdf(-1.5))
    witness = {
        "epsilon": "1",
        "gamma": "1p-100",
        "line": "3/2",
        "width": "1",
        "h": "1/8",
        "n": 80,
        "bits": 128,
    }
    found = state(None, "C6", gauss_pair(), **witness)
    assert inside(found.delta, truth)
    assert float(found.delta.hi - found.delta.lo) < 1e-12
    for changes in (
        {"width": "3/2"},
        {"width": "2"},
        {"h": "-1/8"},
        {"n": 0},
        {"line": "-3/2"},
        {"width": "-1"},
    ):
        with pytest.raises(Refused):
            state(None, "C6", gauss_pair(), **{**witness, **changes})
    with pytest.raises(Refused, match="domain"):
        state(None, "C6", Pair("P|Q", (mpq(1, 2),), (mpq(0),), ZERO), **witness)


@pytest.mark.parametrize("seed", range(6))
def test_hyperbolas_of_one_dimension_hold_the_exact_value(seed):
    """Random equal-step contours: loose they may be, wrong never."""
    rng = np.random.default_rng(seed)
    for _ in range(6):
        scale, nu = Fraction(int(rng.integers(-8, 9)), 10), Fraction(int(rng.integers(1, 20)), 10)
        pair = Pair("P|Q", (mpq(scale),), (mpq(nu),), ZERO)
        law = law_1d(mpq(nu), 1 + mpq(scale), 0, 1)
        epsilon = spell(Fraction(int(rng.integers(0, 20)), 10))
        exact = state(None, "C6-1d", law, direction="P|Q", epsilon=epsilon).delta
        for m, b, angles in (
            ("1/2", "1/4", (0, 0.5, 1)),
            ("1/2", "1/2", (-1, -0.5, 0)),
            ("-1/2", "1/3", (-0.7, 0, 0.7)),
        ):
            lo, theta, hi = (spell(Fraction(x)) for x in angles)
            try:
                found = state(
                    None, "C7", pair, **hyperbola(m=m, b=b, lo=lo, theta=theta, hi=hi, epsilon=epsilon)
                ).delta
            except (Refused, ArithmeticError, ValueError):
                continue
            assert found.lo <= exact.hi
            assert exact.lo <= found.hi


def test_lines_are_typed():
    X, y = rows_of()
    context = context_of(X, y, small_run())
    for rule in (
        "S3",
        "I2",
        "R1",
        "C3",
        "C5",
        "C7",
        "C6",
        "C7b",
        "E3",
        "S4",
        "contraction",
        "exceedance",
    ):
        with pytest.raises(Refused):
            state(context, rule, Curvature(None, ZERO, ZERO, True), **{})
        with pytest.raises(Refused):
            state(context, rule, **{})


def test_every_rule_of_the_format_is_known():
    text = (Path(__file__).parents[2] / "docs" / "certificate-format.md").read_text()
    table = text.split("## Rules")[1].split("**I1.**")[0]
    named = [
        word
        for row in table.splitlines()
        if row.startswith("| `")
        for word in row.split("|")[1].split("`")[1::2]
    ]
    assert set(named) == set(RULES)
    assert line("S1", last=None)["rule"] in RULES
