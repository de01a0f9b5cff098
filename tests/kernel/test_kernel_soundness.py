"""Every rule against independent truth: exact values, normal CDFs, sampling, mpmath."""

import dataclasses
import math
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from flint import arb, arb_mat
from hypothesis import given, settings
from hypothesis import strategies as st

from certaudit.claims import BOTH, EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.kernel import decide
from certaudit.kernel.balls import ball, cholesky, lower, precision, upper
from certaudit.kernel.conversion import gaussian_delta
from certaudit.kernel.expr import evaluate
from certaudit.kernel.hockey_stick import hockey_stick
from certaudit.kernel.iteration import Block, pooled_energy
from certaudit.kernel.law import given_law
from certaudit.kernel.pair import exact_renyi, whiten
from certaudit.kernel.statement import Rule, Statement
from certaudit.prove.evidence import BITS, Evidence
from certaudit.prove.exact import ExactPair
from certaudit.prove.verify import _convert, _cover, verify
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.verdict import Status

small = st.integers(-8, 8).map(lambda k: F(k, 8))


@st.composite
def ridge_runs(draw, sizes=(1, 2, 3)):
    d = draw(st.sampled_from(sizes))
    n = draw(st.integers(3, 6))
    X = np.array(draw(st.lists(small, min_size=n * d, max_size=n * d)), dtype=object)
    y = np.array(draw(st.lists(small, min_size=n, max_size=n)), dtype=object)
    step = F(draw(st.integers(1, 8)), 20)
    T, K = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    return Run(
        X=X.reshape(n, d),
        y=y,
        loss="ridge",
        l2=F(draw(st.integers(1, 10)), 20),
        normalizer=draw(st.sampled_from(["fixed", "sum", "current"])),
        learn=Phase(T, step, F(draw(st.integers(1, 20)), 100)),
        requests=(
            Request((draw(st.integers(0, n - 1)),), Phase(K, step, F(draw(st.integers(1, 20)), 100))),
        ),
        start=Start((F(0),) * d, draw(st.sampled_from([F(0), F(1, 4)]))),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", T),
        release="final",
    )


@settings(max_examples=60, deadline=None)
@given(ridge_runs(), st.sampled_from([F(1, 100), F(1, 10**6)]))
def test_published_route_is_at_least_the_exact_epsilon(run, delta):
    evidence = Evidence(run)
    with precision(BITS):
        bound = evidence.high_probability(delta / 2)
        if bound is None:
            assert run.normalizer == "current"
            return
        converted = _convert(bound, delta)
        for pair in evidence.exact.values():
            stick = pair.hockey_stick(converted.value)
            assert lower(stick.ball("delta")) <= delta


@settings(max_examples=25, deadline=None)
@given(ridge_runs(sizes=(1,)), st.integers(0, 12))
def test_exact_tier_in_one_dimension_is_the_normal_cdf(run, k):
    epsilon = F(k, 4)
    evidence = Evidence(run)
    with precision(BITS):
        law = evidence.float_law()
        m_p, v_p, m_q, v_q = (float(np.ravel(x)[0]) for x in law)
        stick = evidence.exact["P|Q"].hockey_stick(epsilon)
    assert float(stick.ball("delta").mid()) == pytest.approx(
        _one_dimensional_delta(m_p, v_p, m_q, v_q, float(epsilon)), rel=1e-4, abs=1e-9
    )


def _one_dimensional_delta(m_p, v_p, m_q, v_q, epsilon):
    """Numerical integral of (p - e^eps q)_+ on a fine grid."""
    width = 12 * math.sqrt(max(v_p, v_q)) + abs(m_p - m_q)
    x = np.linspace(min(m_p, m_q) - width, max(m_p, m_q) + width, 400_001)
    p = np.exp(-((x - m_p) ** 2) / (2 * v_p)) / math.sqrt(2 * math.pi * v_p)
    q = np.exp(-((x - m_q) ** 2) / (2 * v_q)) / math.sqrt(2 * math.pi * v_q)
    return float(np.maximum(p - math.exp(epsilon) * q, 0).sum() * (x[1] - x[0]))


@pytest.mark.parametrize("seed", range(4))
def test_hockey_stick_agrees_with_sampling(seed):
    """A four-sigma interval around 400,000 draws: false alarm below 1e-4 a seed."""
    rng = np.random.default_rng(seed)
    d = 3
    root = np.eye(d) + 0.3 * rng.normal(size=(d, d))
    cov_p, cov_q = root @ root.T, np.eye(d)
    mean = 0.5 * rng.normal(size=d)
    with precision(256):
        law = given_law(mean.tolist(), cov_p.tolist(), [0] * d, cov_q.tolist())
        stick = ExactPair(whiten(law, "P|Q")).hockey_stick(F(1, 2))
    draws = rng.multivariate_normal(mean, cov_p, size=400_000)
    gap = draws - mean
    log_p = -0.5 * np.einsum("ij,jk,ik->i", gap, np.linalg.inv(cov_p), gap)
    log_p -= 0.5 * np.linalg.slogdet(cov_p)[1]
    ratio = log_p + 0.5 * (draws**2).sum(axis=1)
    values = np.maximum(1 - np.exp(0.5 - ratio), 0)
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - float(stick.ball("delta").mid())) < 4 * error


@pytest.mark.parametrize("mu", [F(1, 10**6), F(1, 100), F(1), F(30), F(1000)])
@pytest.mark.parametrize("digits", [1, 5, 30, 300])
def test_c5_has_ten_digits_down_to_1e_minus_300(mu, digits):
    from certaudit.prove.orders import epsilon_range

    delta = F(1, 10**digits)
    with precision(192):
        low, high = epsilon_range(ball(mu), delta)
        value = gaussian_delta(mu, high)
        assert value <= ball(delta)
        if high == 0:
            return
        assert gaussian_delta(mu, low) > ball(delta)
    assert value.rel_accuracy_bits() > 34
    with mpmath.workdps(1500 if mu < 1 else 900):
        m, e = mpmath.mpf(mu.numerator) / mu.denominator, mpmath.mpf(high.numerator)
        e /= high.denominator
        reference = (
            mpmath.erfc((e / m - m / 2) / mpmath.sqrt(2))
            - mpmath.exp(e) * mpmath.erfc((e / m + m / 2) / mpmath.sqrt(2))
        ) / 2
        assert abs(arb(mpmath.nstr(reference, 20)) / value - 1) < arb("1e-10")


@pytest.mark.parametrize("digits", [2, 50, 300])
def test_c6_agrees_with_c5_on_a_gaussian_shift(digits):
    """Ten digits at delta = 1e-300, by two unrelated formulas."""
    from certaudit.prove.orders import epsilon_range

    with precision(256):
        mu = F(3, 2)
        epsilon = epsilon_range(ball(mu), F(1, 10**digits))[1]
        law = given_law([mu, 0], [[1, 0], [0, 1]], [0, 0], [[1, 0], [0, 1]])
        for direction in BOTH:
            stick = ExactPair(whiten(law, direction)).hockey_stick(epsilon, 144)
            expected = gaussian_delta(mu, epsilon)
            assert stick.ball("delta").rel_accuracy_bits() > 34
            assert abs(stick.ball("delta") / expected - 1) < arb("1e-10")


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 20), st.floats(0.1, 100), st.integers(0, 6))
def test_any_contour_gives_the_same_hockey_stick(line, height, k):
    """Hints cannot make C6 wrong: a poor line or height only widens the ball."""
    with precision(192):
        law = given_law([1, F(1, 2)], [[1, 0], [0, F(4, 5)]], [0, 0], [[1, 0], [0, 1]])
        pair = whiten(law, "P|Q")
        good = ExactPair(pair).hockey_stick(F(k, 2), 100)
        poor = hockey_stick(pair, F(k, 2), F(line), F(line) / 2, F(height), 80, 20, 2)
    assert poor.ball("delta").overlaps(good.ball("delta"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 10), st.integers(0, 10)),
        min_size=1,
        max_size=7,
    ),
    st.data(),
)
def test_no_feasible_schedule_beats_the_pooled_minimum(steps, data):
    """Any feasible choice of the shifts a_t costs at least the minimum."""
    c, s, sigma = zip(*[(F(a, 10), F(b, 10), F(e + 1, 10)) for a, b, e in steps], strict=True)
    with precision(128):
        best = pooled_energy(
            [Block(1, ball(a), ball(b), ball(e * e)) for a, b, e in zip(c, s, sigma, strict=True)],
            arb(0),
        )
    z, cost = F(0), F(0)
    for t in range(len(steps)):
        reach = c[t] * z + s[t]
        share = F(data.draw(st.integers(0, 4)), 4) if t < len(steps) - 1 else F(1)
        a = share * reach
        z, cost = reach - a, cost + (a / sigma[t]) ** 2
    assert lower(best) <= cost


def test_s3_tail_is_the_noncentral_chi_square_tail():
    from scipy.stats import ncx2

    from certaudit.kernel.residual import TAIL, mu, q, v

    for mean, variance, bound in ((0.3, 0.2, 1.1), (-2.0, 0.5, 2.5), (0.0, 1.0, 3.0)):
        ours = evaluate(TAIL, {q: arb(bound), mu: arb(mean), v: arb(variance)})
        reference = ncx2.sf(bound**2 / variance, 1, mean**2 / variance)
        assert float(ours.mid()) == pytest.approx(reference, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(ridge_runs(), st.data())
def test_residual_law_is_the_law_of_the_run(run, data):
    """mu_t and v_t against the plain recursion of mean and covariance in rational arithmetic."""
    world = data.draw(st.sampled_from(["P", "Q"]))
    kept = list(range(run.n)) if world == "P" else list(run.kept)
    count = {"fixed": run.n, "sum": 1, "current": len(kept)}[run.normalizer]
    X = run.X[kept]
    H = X.T.dot(X) / F(count) + run.l2 * np.array(
        [[F(int(i == j)) for j in range(run.d)] for i in range(run.d)], dtype=object
    )
    eye = np.array([[F(int(i == j)) for j in range(run.d)] for i in range(run.d)], dtype=object)
    A, b = eye - run.learn.step_size * H, X.T.dot(run.y[kept]) / F(count)
    m, S = np.array([F(0)] * run.d, dtype=object), run.start.variance * eye
    x, label = run.X[run.forget[0]], run.y[run.forget[0]]
    with precision(256):
        law = Evidence(run).residuals[world]
        for t in range(run.learn.steps):
            assert holds(law.values["mean"][t][0], x.dot(m) - label)
            assert holds(law.values["variance"][t][0], x.dot(S).dot(x))
            m = A.dot(m) + run.learn.step_size * b
            S = A.dot(S).dot(A.T) + run.learn.noise_variance * eye


def holds(enclosure, value):
    """Whether the ball holds the rational, itself rounded at a far higher precision."""
    with precision(4000):
        return abs(enclosure.mid() - ball(F(value))) <= enclosure.rad()


@settings(max_examples=20, deadline=None)
@given(ridge_runs(sizes=(2, 3)))
def test_claims_around_the_exact_values_are_decided_the_right_way(run):
    evidence = Evidence(run)
    with precision(BITS):
        values = [exact_renyi(pair.pair, F(3, 2)).ball("r") for pair in evidence.exact.values()]
        worst = max(values, key=lambda r: float(r.mid()))
        if not worst.is_finite() or lower(worst) <= F(1, 10**12):
            return
        above, below = upper(worst) * F(11, 10), lower(worst) * F(9, 10)
    claims = [RenyiClaim("above", F(3, 2), above), RenyiClaim("below", F(3, 2), below)]
    verdicts = verify(Evidence(run), claims)
    assert [v.status for v in verdicts] == [Status.PROVED, Status.REFUTED]


def removing(*rows):
    return (Request(rows, Phase(5, F(1), F(1, 100))),)


def simple_run(**changes):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(12, 3))
    base = Run(
        X=X / np.linalg.norm(X, axis=1, keepdims=True) * 0.999,
        y=np.sign(rng.normal(size=12)),
        loss="ridge",
        l2=F(1, 10),
        normalizer="fixed",
        learn=Phase(30, F(1), F(1, 100)),
        requests=(Request((4,), Phase(5, F(1), F(1, 100))),),
        start=Start((F(0),) * 3, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 30),
        release="final",
    )
    return dataclasses.replace(base, **changes)


def test_gaussian_claim_with_and_without_slack():
    run = simple_run()
    loose, bare, false = verify(
        Evidence(run),
        [
            GaussianClaim("loose", F(1), F(1, 10**5)),
            GaussianClaim("bare", F(1), F(0)),
            GaussianClaim("false", F(1, 1000), F(1, 10**6)),
        ],
    )
    assert loose.status is Status.PROVED
    assert bare.status is Status.REFUTED
    assert false.status is Status.REFUTED


@pytest.mark.parametrize("normalizer", ["fixed", "current"])
@pytest.mark.parametrize("mu", [F(1, 3), F(1, 10)])
def test_gaussian_claim_is_proved_by_the_exact_tier_alone(normalizer, mu):
    run = simple_run(normalizer=normalizer, requests=(Request((4,), Phase(60, F(1), F(1, 100))),))
    evidence = Evidence(run)
    with precision(BITS):
        covers = [_cover(pair, GaussianClaim("g", mu, F(1, 10**5))) for pair in evidence.exact.values()]
    claim = GaussianClaim("g", mu, F(1, 10**5))
    assert all(covers)
    assert decide.prove(run, claim, covers) is not None
    assert decide.prove(run, claim, covers[:1]) is None
    one_sided = dataclasses.replace(claim, directions=("P|Q",))
    assert decide.prove(run, one_sided, covers) is None
    assert decide.prove(run, dataclasses.replace(claim, mu=mu / 2), covers) is None


@pytest.mark.parametrize("d", [1, 2])
def test_a_point_without_influence_is_proved_forgotten(d):
    X = np.array([[F(1, 8)] * d, [F(0)] * d, [F(0)] * d], dtype=object)
    y = np.array([F(1, 8), F(0), F(0)], dtype=object)
    run = simple_run(X=X, y=y, requests=removing(1), start=Start((F(0),) * d, F(0)))
    claims = [
        EpsilonDelta("zero", F(0), F(1, 10**30)),
        EpsilonDelta("tiny", F(1, 10), F(1, 10**300)),
        RenyiClaim("renyi", F(2), F(1, 10**9)),
    ]
    assert {v.status for v in verify(Evidence(run), claims)} == {Status.PROVED}


def test_pure_epsilon_is_refuted_and_never_crashes():
    (verdict,) = verify(Evidence(simple_run()), [EpsilonDelta("pure", F(5), F(0))])
    assert verdict.status is Status.REFUTED


def test_a_statement_cannot_be_forged():
    with pytest.raises(TypeError):
        Statement(object(), kind="verdict")
    rule = Rule("x", "x", "x")
    statement = rule.conclude("renyi", formulas=(), values={}, subject="run a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        statement.kind = "verdict"
    with pytest.raises(TypeError):
        rule.conclude("renyi", formulas=(), values={}, subject="run b", uses=(statement,))
    with pytest.raises(TypeError):
        dataclasses.replace(statement, kind="verdict")


def test_statements_about_another_run_prove_nothing():
    one, other = simple_run(), simple_run(requests=removing(5))
    claim = EpsilonDelta("c", F(10), F(1, 10))
    evidence = Evidence(one)
    with precision(BITS):
        sticks = [pair.hockey_stick(F(10)) for pair in evidence.exact.values()]
    assert decide.prove(one, claim, sticks) is not None
    assert decide.prove(other, claim, sticks) is None
    assert decide.prove(one, claim, sticks[:1]) is None


def test_one_direction_is_enough_only_for_a_claim_of_one_direction():
    run = simple_run()
    evidence = Evidence(run)
    with precision(BITS):
        stick = evidence.exact["P|Q"].hockey_stick(F(10))
    assert decide.prove(run, EpsilonDelta("c", F(10), F(1, 10), ("P|Q",)), [stick]) is not None
    assert decide.prove(run, EpsilonDelta("c", F(10), F(1, 10), ("Q|P",)), [stick]) is None


def test_cholesky_refuses_what_is_not_certainly_positive():
    assert cholesky(arb_mat([[1, 2], [2, 1]])) is None
    assert cholesky(arb_mat([[arb("1 +/- 2")]])) is None
    factor = cholesky(arb_mat([[4, 2], [2, 3]]))
    assert factor[1][0] == 1


def test_only_whitelisted_nodes_are_evaluated():
    import sympy as sp

    with pytest.raises(TypeError):
        evaluate(sp.Float(0.1) + sp.Symbol("x"), {sp.Symbol("x"): arb(1)})
    with pytest.raises(TypeError):
        evaluate(sp.gamma(sp.Symbol("x")), {sp.Symbol("x"): arb(1)})


def test_renyi_statements_carry_over_to_smaller_orders_only():
    run = simple_run()
    evidence = Evidence(run)
    with precision(BITS):
        two = [exact_renyi(pair.pair, F(2)) for pair in evidence.exact.values()]
        ceiling = max(upper(s.ball("r")) for s in two) * 2
        floor = min(lower(s.ball("r")) for s in two) / 2
    assert decide.prove(run, RenyiClaim("r", F(3, 2), ceiling), two) is not None
    assert decide.prove(run, RenyiClaim("r", F(3), ceiling), two) is None
    assert decide.refute(run, RenyiClaim("r", F(3), floor), two) is not None
    assert decide.refute(run, RenyiClaim("r", F(3, 2), floor), two) is None


def test_hockey_sticks_carry_over_in_epsilon_one_way_each():
    run = simple_run()
    evidence = Evidence(run)
    with precision(BITS):
        sticks = [pair.hockey_stick(F(1, 100)) for pair in evidence.exact.values()]
        above = max(upper(s.ball("delta")) for s in sticks) * 2
        below = min(lower(s.ball("delta")) for s in sticks) / 2
    assert decide.prove(run, EpsilonDelta("e", F(1, 50), above), sticks) is not None
    assert decide.prove(run, EpsilonDelta("e", F(1, 200), above), sticks) is None
    assert decide.refute(run, EpsilonDelta("e", F(1, 200), below), sticks) is not None
    assert decide.refute(run, EpsilonDelta("e", F(1, 50), below), sticks) is None
