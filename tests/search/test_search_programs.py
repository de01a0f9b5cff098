"""Cyclic batches, several requests, other references, output noise: every rule against exact laws."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from certaudit.claims import EpsilonDelta, RenyiClaim, SensitivityClaim
from certaudit.core import schedule
from certaudit.core.balls import ball, lower, precision, upper
from certaudit.core.proof import BITS
from certaudit.core.rule import NotApplicable
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search.evidence import Evidence
from certaudit.search.routes.epsilon_delta import _convert
from certaudit.search.verify import verify
from certaudit.verdict import Status

eighths = st.integers(-8, 8).map(lambda k: F(k, 8))


@st.composite
def programs(draw, references=("unlearn-retrained",)):
    """Ridge runs with one or two requests, full or cyclic batches, and perhaps output noise."""
    d, n = draw(st.sampled_from([1, 2])), draw(st.integers(4, 6))
    X = np.array(draw(st.lists(eighths, min_size=n * d, max_size=n * d)), dtype=object)
    y = np.array(draw(st.lists(eighths, min_size=n, max_size=n)), dtype=object)
    size = draw(st.integers(1, n))
    cycle = tuple(tuple(range(k, min(k + size, n))) for k in range(0, n, size))
    batches = draw(st.sampled_from([(), cycle]))
    step = F(draw(st.integers(1, 6)), 20)

    def phase(most):
        noise = F(draw(st.integers(1, 20)), 100)
        return Phase(draw(st.integers(1, most)), step, noise, batches)

    learn = phase(7)
    rows = draw(st.permutations(range(n)))
    count = draw(st.integers(1, 2))
    requests = tuple(Request((rows[k],), phase(4)) for k in range(count))
    kind = draw(st.sampled_from(references))
    return Run(
        X=X.reshape(n, d),
        y=y,
        loss="ridge",
        l2=F(draw(st.integers(1, 10)), 20),
        normalizer=draw(st.sampled_from(["fixed", "sum", "current"])),
        learn=learn,
        requests=requests,
        start=Start((F(0),) * d, draw(st.sampled_from([F(0), F(1, 4)]))),
        projection=None,
        clip=None,
        reference=Reference(kind, learn.steps + draw(st.integers(0, 2)) * (kind == "retrained")),
        release="final",
        output_variance=draw(st.sampled_from([F(0), F(1, 50)])),
    )


def plain_law(run, world):
    """Mean and covariance by the plain recursion, step by step, in rational arithmetic."""
    eye = np.array([[F(int(i == j)) for j in range(run.d)] for i in range(run.d)], dtype=object)
    m, S = np.array(run.start.mean, dtype=object), run.start.variance * eye
    forgotten = [()]
    for request in run.requests:
        forgotten.append((*forgotten[-1], *request.rows))
    phases = [run.learn, *(request.unlearn for request in run.requests)]
    if world == "Q":
        forgotten = [forgotten[-1]] * len(phases)
        phases[0] = dataclasses.replace(phases[0], steps=run.reference.steps)
        if run.reference.kind == "retrained":
            phases = phases[:1]
        elif run.reference.unlearn_variance is not None:
            noise = run.reference.unlearn_variance
            phases[1:] = [dataclasses.replace(p, noise_variance=noise) for p in phases[1:]]
    for phase, gone in zip(phases, forgotten, strict=False):
        for t in range(phase.steps):
            whole = phase.batches[t % len(phase.batches)] if phase.batches else range(run.n)
            rows = [j for j in whole if j not in gone]
            count = {"fixed": len(whole), "current": max(len(rows), 1), "sum": 1}[run.normalizer]
            X, y = run.X[rows], run.y[rows]
            A = eye - phase.step_size * (X.T.dot(X) / F(count) + run.l2 * eye)
            m = A.dot(m) + phase.step_size * X.T.dot(y) / F(count)
            S = A.dot(S).dot(A.T) + phase.noise_variance * eye
    return m, S + run.output_noise(world) * eye


def holds(enclosure, value):
    with precision(4000):
        return abs(enclosure.mid() - ball(F(value))) <= enclosure.rad()


@settings(max_examples=40, deadline=None)
@given(programs(("unlearn-retrained", "retrained")), st.sampled_from([None, F(1, 30)]))
def test_exact_laws_are_those_of_the_plain_recursion(run, noise):
    if noise is not None and run.reference.kind == "unlearn-retrained":
        reference = dataclasses.replace(run.reference, unlearn_variance=noise, output_variance=noise)
        run = dataclasses.replace(run, reference=reference)
    law = Evidence(run).law.statement
    for world, mean, covariance in (
        ("P", law.mean_p, law.covariance_p),
        ("Q", law.mean_q, law.covariance_q),
    ):
        m, S = plain_law(run, world)
        assert all(map(holds, mean, m))
        assert all(map(holds, (x for row in covariance for x in row), S.ravel()))


@settings(max_examples=60, deadline=None)
@given(programs(), st.sampled_from([F(1, 100), F(1, 10**6)]))
def test_no_bound_is_below_the_exact_epsilon(run, delta):
    evidence = Evidence(run)
    with precision(BITS):
        bound = evidence.high_probability(delta / 2)
        if bound is None:
            assert run.normalizer == "current"
            return
        converted = _convert(evidence, bound, delta)
        for pair in evidence.exact.values():
            assert lower(pair.hockey_stick(converted.value).statement.delta) <= delta


@settings(max_examples=40, deadline=None)
@given(programs(), st.sampled_from([F(11, 10), F(2), F(5)]))
def test_adaptive_composition_is_never_below_the_exact_divergence(run, order):
    evidence = Evidence(run)
    with precision(BITS):
        exact = {d: pair.renyi(order).statement.r for d, pair in evidence.exact.items()}
        for line in evidence.adaptive(order):
            (direction,) = line.statement.directions
            r = line.statement.r
            assert r == arb("inf") or lower(exact[direction]) <= upper(r)


@settings(max_examples=30, deadline=None)
@given(programs(), st.data())
def test_residual_law_in_any_program(run, data):
    """mu_t and v_t before every step that removes a point, against the plain recursion of the run cut
    short there."""
    world = data.draw(st.sampled_from(["P", "Q"]))
    with precision(256):
        evidence = Evidence(run)
        law = evidence.residuals[world].statement
        pairs = schedule.whole("test", run)
        removed = [pair.removed(run) for pair in pairs for _ in range(pair.count)]
        for t, rows in enumerate(removed[: len(law.means)]):
            m, S = cut_short(run, world, t)
            for j, i in enumerate(rows):
                assert holds(law.means[t][j], run.X[i].dot(m) - run.y[i])
                assert holds(law.variances[t][j], run.X[i].dot(S).dot(run.X[i]))


def cut_short(run, world, steps):
    phases = [run.learn, *(request.unlearn for request in run.requests)]
    cut = []
    for phase in phases:
        cut.append(dataclasses.replace(phase, steps=min(phase.steps, steps)))
        steps -= cut[-1].steps
    requests = [dataclasses.replace(r, unlearn=p) for r, p in zip(run.requests, cut[1:], strict=True)]
    short = dataclasses.replace(
        run,
        learn=cut[0],
        requests=tuple(requests),
        reference=Reference("unlearn-retrained", cut[0].steps),
        output_variance=F(0),
    )
    return plain_law(short, world)


def simple(**changes):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20, 3))
    base = Run(
        X=X / np.linalg.norm(X, axis=1, keepdims=True) * 0.99,
        y=np.sign(rng.normal(size=20)),
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


def test_a_million_steps_are_a_closed_form():
    long = Phase(10**6, F(1), F(1, 100))
    run = simple(
        loss="logistic",
        learn=long,
        requests=(Request((4,), long),),
        reference=Reference("unlearn-retrained", 10**6),
    )
    (verdict,) = verify(Evidence(run), [EpsilonDelta("e", F(1, 10**6), F(1, 10**9))])
    assert verdict.status is Status.PROVED


@pytest.mark.parametrize("loss", ["logistic", "huber"])
def test_margins_stay_in_their_bounds(loss):
    """4000 simulated runs: at most a share 1/2 of them may leave any S4 bound, and few do."""
    run = simple(loss=loss, threshold=F(1, 2) if loss == "huber" else None)
    slope = {
        "logistic": lambda u, y: -y / (1 + np.exp(y * u)),
        "huber": lambda u, y: np.clip(u - y, -0.5, 0.5),
    }[loss]
    with precision(BITS):
        evidence = Evidence(run)
        bound = evidence.high_probability(F(1, 2))
        known = [evidence.proof.lines[line.uses[0]].statement for line in bound.lines]
        assert all(lower(one.delta) <= F(1, 2) for one in known)
        shifts = {one.world: [float(s) for n, s in one.shifts for _ in range(n)] for one in known}
    rng = np.random.default_rng(9)
    for world in ("P", "Q"):
        rows = range(run.n) if world == "P" else run.kept
        X, y = run.X[list(rows)], run.y[list(rows)]
        w = np.zeros((4000, 3))
        broken = np.zeros(4000, dtype=bool)
        for t in range(30):
            own = np.abs(slope(w @ run.X[4], run.y[4])) * np.linalg.norm(run.X[4]) / 20
            broken |= own > shifts[world][t]
            w = w - (slope(w @ X.T, y) @ X / 20 + 0.1 * w) + 0.1 * rng.normal(size=w.shape)
        assert broken.mean() < 0.5


def test_a_wide_huber_loss_is_no_better_than_ridge_is():
    """With a threshold the residuals never reach, huber's law is ridge's: its bounds lie above."""
    exact = Evidence(simple())
    huber = Evidence(simple(loss="huber", threshold=F(10**6)))
    delta = F(1, 10**6)
    with precision(BITS):
        bound = _convert(huber, huber.high_probability(delta / 2), delta)
        for pair in exact.exact.values():
            assert lower(pair.hockey_stick(bound.value).statement.delta) <= delta


def test_restart_beats_a_long_unforgetting_past():
    """Without strong convexity early shifts never fade; a restart in a small ball forgets them."""
    run = simple(
        loss="logistic",
        l2=F(0),
        projection=F(1, 10),
        learn=Phase(3000, F(1), F(1, 100)),
        reference=Reference("unlearn-retrained", 3000),
    )
    with precision(BITS):
        bounds = {b.name: float(b.lines[0].statement.mu) for b in Evidence(run).deterministic}
    assert bounds["S2 + I1, restarted in the ball"] < bounds["S2 + I1"]


def test_restart_couples_a_reference_of_another_length():
    run = simple(loss="logistic", projection=F(1), reference=Reference("retrained", 20))
    (verdict,) = verify(Evidence(run), [EpsilonDelta("e", F(60), F(1, 10**5))])
    assert verdict.status is Status.PROVED
    assert verdict.bounds[0].route.startswith("S2 + I1, restarted")


def test_expanding_steps_fall_back_on_bounded_gradients():
    """A step beyond 2/L: S2 + I1 grows like c^T, bounded drift under a regularizer does not."""
    run = simple(
        loss="logistic",
        l2=F(1, 2),
        learn=Phase(6000, F(3), F(1)),
        reference=Reference("unlearn-retrained", 6000),
    )
    run = dataclasses.replace(run, X=run.X * 3, requests=(Request((4,), Phase(5, F(3), F(1))),))
    with precision(BITS):
        bounds = {b.name: b.lines[0].statement.mu for b in Evidence(run).deterministic}
    assert bounds["S1-drift + I1"] < bounds["S2 + I1"]


def test_output_noise_alone_carries_a_bound():
    quiet = Phase(30, F(1), F(0))
    run = simple(
        loss="logistic",
        learn=quiet,
        requests=(Request((4,), Phase(5, F(1), F(0))),),
        output_variance=F(1, 100),
    )
    claims = [EpsilonDelta("e", F(30), F(1, 10**5))]
    (with_noise,) = verify(Evidence(run), claims)
    (without,) = verify(Evidence(dataclasses.replace(run, output_variance=F(0))), claims)
    assert with_noise.status is Status.PROVED
    assert without.status is Status.NOT_PROVED
    other = dataclasses.replace(run.reference, output_variance=F(1, 50))
    (leaking,) = verify(Evidence(dataclasses.replace(run, reference=other)), claims)
    assert leaking.status is Status.NOT_PROVED


def test_a_louder_reference_is_seen_by_the_exact_tier():
    reference = Reference("unlearn-retrained", 30, unlearn_variance=F(1, 50))
    run = simple(reference=reference)
    claims = [EpsilonDelta("e", F(1, 10), F(1, 10**5)), RenyiClaim("r", F(8), F(100))]
    verdicts = verify(Evidence(run), claims)
    assert [v.status for v in verdicts] == [Status.REFUTED, Status.REFUTED]
    assert any("noise" in note for note in verdicts[0].notes)


def test_claims_after_a_stage_are_about_the_run_cut_there():
    requests = (Request((4,), Phase(5, F(1), F(1, 100))), Request((9,), Phase(5, F(1), F(1, 100))))
    run = simple(requests=requests)
    single = simple()
    with precision(BITS):
        worst = max(p.epsilon(F(1, 10**5)).upper for p in Evidence(single).exact.values())
    claims = [
        EpsilonDelta("first", worst, F(1, 10**5), after=1),
        EpsilonDelta("too-good", worst * F(99, 100), F(1, 10**5), after=1),
    ]
    assert [v.status for v in verify(Evidence(run), claims)] == [Status.PROVED, Status.REFUTED]


def test_sensitivity_of_a_step_of_unlearning():
    """The second request's point is still there while the first is unlearned."""
    requests = (Request((4,), Phase(5, F(1), F(1, 100))), Request((9,), Phase(5, F(1), F(1, 100))))
    run = simple(requests=requests)
    claims = [
        SensitivityClaim("while", 33, F(1), F(1, 10**6)),
        SensitivityClaim("while-0", 33, F(0), F(1, 2)),
        SensitivityClaim("after", 38, F(0), F(0)),
    ]
    assert [v.status for v in verify(Evidence(run), claims)] == [
        Status.PROVED,
        Status.REFUTED,
        Status.PROVED,
    ]


def test_uncoupled_references_are_refused_in_words():
    run = simple(reference=Reference("retrained", 20))
    with pytest.raises(NotApplicable):
        schedule.whole("I1", run)
