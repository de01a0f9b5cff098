"""Every rule against independent truth: exact values, normal CDFs, sampling, mpmath."""

import dataclasses
import math
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from flint import arb
from given_laws import given_law, given_pair
from hypothesis import given, settings
from hypothesis import strategies as st

from certaudit.claims import BOTH, EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.core import decide
from certaudit.core.balls import ball, lower, precision, upper
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.proof import BITS, Line
from certaudit.core.rule import NotApplicable, Nothing, Undecided
from certaudit.core.rules import c3, c6, c6_1d, c7b, e3
from certaudit.core.term import Term, evaluate, symbol, term
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search import c7 as contours
from certaudit.search.evidence import Evidence
from certaudit.search.orders import epsilon_range
from certaudit.search.routes.epsilon_delta import _convert
from certaudit.search.routes.gaussian import _cover
from certaudit.search.verify import verify
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
        converted = _convert(evidence, bound, delta)
        for pair in evidence.exact.values():
            stick = pair.hockey_stick(converted.value).statement
            assert lower(stick.delta) <= delta


@settings(max_examples=25, deadline=None)
@given(ridge_runs(sizes=(1,)), st.integers(0, 12))
def test_exact_tier_in_one_dimension_is_the_normal_cdf(run, k):
    epsilon = F(k, 4)
    evidence = Evidence(run)
    with precision(BITS):
        law = evidence.float_law()
        m_p, v_p, m_q, v_q = (float(np.ravel(x)[0]) for x in law)
        stick = evidence.exact["P|Q"].hockey_stick(epsilon).statement
    assert float(stick.delta.mid()) == pytest.approx(
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
    pair = given_pair(mean.tolist(), cov_p.tolist(), [0] * d, cov_q.tolist())
    stick = pair.hockey_stick(F(1, 2)).statement
    draws = rng.multivariate_normal(mean, cov_p, size=400_000)
    gap = draws - mean
    log_p = -0.5 * np.einsum("ij,jk,ik->i", gap, np.linalg.inv(cov_p), gap)
    log_p -= 0.5 * np.linalg.slogdet(cov_p)[1]
    ratio = log_p + 0.5 * (draws**2).sum(axis=1)
    values = np.maximum(1 - np.exp(0.5 - ratio), 0)
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - float(stick.delta.mid())) < 4 * error


@pytest.mark.parametrize("mu", [F(1, 10**6), F(1, 100), F(1), F(30), F(1000)])
@pytest.mark.parametrize("digits", [1, 5, 30, 300])
def test_c5_has_ten_digits_down_to_1e_minus_300(mu, digits):
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
    with precision(256):
        mu = F(3, 2)
        epsilon = epsilon_range(ball(mu), F(1, 10**digits))[1]
        for direction in BOTH:
            pair = given_pair([mu, 0], [[1, 0], [0, 1]], [0, 0], [[1, 0], [0, 1]], direction)
            found = pair.hockey_stick(epsilon)
            assert found.rule in ("C6", "C7")
            delta, expected = found.statement.delta, gaussian_delta(mu, epsilon)
            assert delta.rel_accuracy_bits() > 34
            assert abs(delta / expected - 1) < arb("1e-10")


def bent_pair():
    """A pair with one variance below 1, and its stand-in line."""
    pair = given_pair([1, F(1, 2)], [[1, 0], [0, F(4, 5)]], [0, 0], [[1, 0], [0, 1]])
    return pair, pair.pair()


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 20), st.floats(0.01, 2), st.integers(1, 80), st.integers(0, 6))
def test_any_contour_gives_the_same_hockey_stick(line, h, n, k):
    """Witnesses cannot make C6 wrong: a poor line or spacing only widens the ball."""
    pair, stand_in = bent_pair()
    good = pair.hockey_stick(F(k, 2)).statement.delta
    poor = c6.Witness(F(k, 2), F(1, 10**6), F(line), F(line) / 2, F(h), n, 192)
    found = pair.proof.apply("C6", (stand_in,), poor).statement.delta
    assert found.overlaps(good)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 3), st.integers(0, 40), st.floats(1e-20, 1e-3), st.integers(0, 6))
def test_any_hyperbola_gives_the_same_hockey_stick(stretch, fewer, gamma, k):
    """Nor can they make C7 wrong: other nodes, another strip, another tolerance."""
    pair, stand_in = bent_pair()
    good = pair.hockey_stick(F(k, 2)).statement.delta
    found = contours.witness(stand_in.statement, pair.twin, F(k, 2), 16)
    n = max(found.n - fewer, 0)
    poor = dataclasses.replace(found, h=found.h * F(stretch), n=n, gamma=F(gamma))
    try:
        delta = pair.proof.apply("C7", (stand_in,), poor).statement.delta
    except Undecided:
        assert (n + 1) * poor.h < F(found.tail_cells[0])
        return
    assert delta.overlaps(good)


def test_s3_tail_is_the_noncentral_chi_square_tail():
    from scipy.stats import ncx2

    from certaudit.core.rules.exceedance import TAIL, mu, q, v

    for mean, variance, bound in ((0.3, 0.2, 1.1), (-2.0, 0.5, 2.5), (0.0, 1.0, 3.0)):
        ours = TAIL.at({q: arb(bound), mu: arb(mean), v: arb(variance)})
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
        law = Evidence(run).residuals[world].statement
        for t in range(run.learn.steps):
            assert holds(law.means[t][0], x.dot(m) - label)
            assert holds(law.variances[t][0], x.dot(S).dot(x))
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
        values = [pair.renyi(F(3, 2)).statement.r for pair in evidence.exact.values()]
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
    claim = GaussianClaim("g", mu, F(1, 10**5))
    with precision(BITS):
        covers = [_cover(evidence, pair, claim) for pair in evidence.exact.values()]
        assert all(covers)
        assert decide.prove(evidence.proof, claim, covers) is not None
        assert decide.prove(evidence.proof, claim, covers[:1]) is None
        one_sided = dataclasses.replace(claim, directions=("P|Q",))
        assert decide.prove(evidence.proof, one_sided, covers) is None
        assert decide.prove(evidence.proof, dataclasses.replace(claim, mu=mu / 2), covers) is None


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
    """Anyone may write a statement down, but only a rule puts it on a line of a proof."""
    one, other = Evidence(simple_run()), Evidence(simple_run())
    claim = RenyiClaim("c", F(2), F(10**6))
    bound = one.exact["P|Q"].renyi(F(2))
    twin = other.exact["Q|P"].renyi(F(2))
    both = [bound, one.exact["Q|P"].renyi(F(2))]
    assert decide.prove(one.proof, claim, both) is not None
    forged = dataclasses.replace(bound.conclusion.statement, directions=BOTH)
    line = Line(
        bound.number,
        bound.rule,
        bound.uses,
        bound.witness,
        dataclasses.replace(bound.conclusion, statement=forged),
    )
    beyond = dataclasses.replace(line, number=len(one.proof.lines))
    for false in (line, beyond, twin):
        assert decide.prove(one.proof, claim, [false]) is None
        with pytest.raises(NotApplicable, match="another proof"):
            one.proof.apply("C3", (false,), c3.Witness(F(1), F(1), F(0)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        bound.conclusion = line.conclusion
    with pytest.raises(dataclasses.FrozenInstanceError):
        bound.statement.order = F(9)
    with pytest.raises(NotApplicable, match="no such rule"):
        one.proof.apply("given", (), Nothing())
    with pytest.raises(NotApplicable, match="witness"):
        one.proof.apply("C3", (bound,), Nothing())


def test_statements_about_another_run_prove_nothing():
    one, other = Evidence(simple_run()), Evidence(simple_run(requests=removing(5)))
    claim = EpsilonDelta("c", F(10), F(1, 10))
    assert one.law.number == other.law.number
    sticks = [pair.hockey_stick(F(10)) for pair in one.exact.values()]
    for pair in other.exact.values():
        pair.hockey_stick(F(10))
    assert decide.prove(one.proof, claim, sticks) is not None
    assert decide.prove(other.proof, claim, sticks) is None
    assert decide.prove(one.proof, claim, sticks[:1]) is None


def test_one_direction_is_enough_only_for_a_claim_of_one_direction():
    evidence = Evidence(simple_run())
    stick = evidence.exact["P|Q"].hockey_stick(F(10))
    for way, proved in (("P|Q", True), ("Q|P", False)):
        claim = EpsilonDelta("c", F(10), F(1, 10), (way,))
        assert (decide.prove(evidence.proof, claim, [stick]) is not None) is proved


def test_a_covariance_that_is_not_certainly_positive_is_refused():
    eye, zero = [[1, 0], [0, 1]], [0, 0]
    identity = ((F(1), F(0)), (F(0), F(1)))
    for covariance in ([[1, 2], [2, 1]], [[arb("1 +/- 2"), 0], [0, 1]], [[0, 0], [0, 1]]):
        for laws in ((zero, covariance, zero, eye), (zero, eye, zero, covariance)):
            proof, law = given_law(*laws)
            for l in (F(0), F(3), F(-99, 100)):
                with pytest.raises(Undecided):
                    proof.apply("C7b", (law,), c7b.Witness("P|Q", identity, (l, F(0)), (F(0),) * 2))
                with pytest.raises(Undecided):
                    proof.apply("E3", (law,), e3.Witness("P|Q", F(3, 2), identity, (l, F(0))))
    for variance in (arb("1 +/- 2"), -1):
        proof, law = given_law([0], [[variance]], [0], [[1]])
        with pytest.raises(Undecided):
            proof.apply("C6-1d", (law,), c6_1d.Witness("P|Q", F(1)))
    assert given_pair(zero, [[4, 2], [2, 3]], zero, eye).pair().statement.l[0] > 0


def test_only_whitelisted_nodes_are_evaluated():
    x = symbol("x")
    with pytest.raises(TypeError):
        x + 0.1
    with pytest.raises(TypeError):
        term("1")
    with pytest.raises(KeyError):
        evaluate(Term("gamma", (x,)), {x: arb(1)})
    with pytest.raises(KeyError):
        evaluate(x + 1, {symbol("y"): arb(1)})


def test_renyi_statements_carry_over_to_smaller_orders_only():
    evidence = Evidence(simple_run())
    proof = evidence.proof
    with precision(BITS):
        two = [pair.renyi(F(2)) for pair in evidence.exact.values()]
        ceiling = max(upper(line.statement.r) for line in two) * 2
        floor = min(lower(line.statement.r) for line in two) / 2
        assert decide.prove(proof, RenyiClaim("r", F(3, 2), ceiling), two) is not None
        assert decide.prove(proof, RenyiClaim("r", F(3), ceiling), two) is None
        assert decide.refute(proof, RenyiClaim("r", F(3), floor), two) is not None
        assert decide.refute(proof, RenyiClaim("r", F(3, 2), floor), two) is None


def test_hockey_sticks_carry_over_in_epsilon_one_way_each():
    evidence = Evidence(simple_run())
    proof = evidence.proof
    with precision(BITS):
        sticks = [pair.hockey_stick(F(1, 100)) for pair in evidence.exact.values()]
        above = max(upper(line.statement.delta) for line in sticks) * 2
        below = min(lower(line.statement.delta) for line in sticks) / 2
        assert decide.prove(proof, EpsilonDelta("e", F(1, 50), above), sticks) is not None
        assert decide.prove(proof, EpsilonDelta("e", F(1, 200), above), sticks) is None
        assert decide.refute(proof, EpsilonDelta("e", F(1, 200), below), sticks) is not None
        assert decide.refute(proof, EpsilonDelta("e", F(1, 50), below), sticks) is None
