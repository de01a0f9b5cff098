"""O2, O2-renyi: all the iterates, against the joint law of the path, and the traps of the theory."""

from dataclasses import replace
from fractions import Fraction as F
from math import inf

import pytest
from flint import acb, arb
from oracles.gaussian_law import MP
from oracles.gaussian_pair import renyi
from oracles.gaussian_stick import hockey_stick
from oracles.worlds import steps
from path_runs import RUNS, WAYS, good, seen, truth

from certaudit.core import path as kernels
from certaudit.core.balls import ball, precision
from certaudit.core.path import Diverges, path, require_positive
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, Refusal, Undecided
from certaudit.core.rules import o2
from certaudit.core.rules.o2 import Witness
from certaudit.core.rules.o2_renyi import Witness as OrderWitness
from certaudit.core.term import Formula
from certaudit.run import Phase, Reference, Request
from certaudit.search.o2 import ExactPath


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def log_moment(run, way, s):
    """log M(s) of the core's kernels."""
    c, det = path("O2", run, way, 1)[0].moment(acb(s))
    return c.real - det.real.log() / 2


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", RUNS)
def test_renyi_is_that_of_the_whole_path(name, way):
    run = RUNS[name]
    proof, pair = Proof(run), truth(run, way)
    for order in (F(3, 2), F(2), F(5)):
        found = proof.apply("O2-renyi", (), OrderWitness(way, order)).statement
        exact = renyi(pair, MP.mpf(order.numerator) / order.denominator)
        assert (found.observer, found.exactness, found.directions) == ("every-step", "exact", (way,))
        assert abs(found.r - arb(MP.nstr(exact, 40))) < arb("1e-30")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", RUNS)
def test_delta_is_that_of_the_whole_path(name, way):
    run = RUNS[name]
    whole, pair = ExactPath(Proof(run), way), truth(run, way)
    tried = 0
    for epsilon in (F(1, 4), F(1), F(3)):
        exact = hockey_stick(pair, float(epsilon))
        try:
            found = whole.hockey_stick(epsilon, 5).statement
        except Undecided:
            continue
        tried += 1
        assert (
            found.delta.lower() * (1 - arb("1e-8")) <= exact <= found.delta.upper() * (1 + arb("1e-8"))
        )
        assert found.delta.rad() < arb("1e-3") * exact
    assert tried


def test_diabetes_sized_numbers_are_bracketed():
    run = seen(learn=Phase(60, F(1, 2), F(1, 2048)))
    run = replace(run, reference=Reference("unlearn-retrained", 60))
    found = ExactPath(Proof(run), "P|Q").epsilon(F(1, 10**5))
    low, high = found.low.statement, found.high.statement
    assert low.epsilon < high.epsilon < low.epsilon * (1 + F(1, 10**5))
    assert low.delta > ball(F(1, 10**5)) >= high.delta


def test_a_billion_steps_cost_no_more():
    long = seen(learn=Phase(10**9, F(1, 2), F(1, 2048)))
    long = replace(long, reference=Reference("unlearn-retrained", 10**9))
    found = Proof(long).apply("O2-renyi", (), OrderWitness("P|Q", F(1001, 1000))).statement
    assert found.r > 10**4


def test_infinite_beyond_the_domain():
    run = seen(seed=1)
    pair = truth(run, "P|Q")
    edge = 1 / float(max(pair.extra))
    proof = Proof(run)
    below, above = F(edge * 0.999), F(edge * 1.001)
    assert proof.apply("O2-renyi", (), OrderWitness("P|Q", 1 + below)).statement.r.is_finite()
    assert proof.apply("O2-renyi", (), OrderWitness("P|Q", 1 + above)).statement.r == arb("inf")
    assert renyi(pair, MP.mpf(1 + float(above))) == inf
    witness = replace(good(run), line=F(edge * 0.9), width=F(edge * 0.2), near=F(1, 1000))
    with pytest.raises(Undecided, match="leaves the domain"):
        proof.apply("O2", (), witness)


def test_trap_a_the_principal_root_is_wrong_where_the_argument_has_passed_pi():
    """D of ten factors 1 - s l: past pi the principal root is minus the one that is meant."""
    l, line, near = 0.2, 1.0, 1e-3

    class Many:
        def moment(self, at):
            return acb(0), (1 - at * l) ** 40

    values = {o2.w: arb(near), o2.D_mid: arb(1 - line * l) ** 40}
    ends = [arb(1 - (line + sign * near) * l) ** 40 for sign in (-1, 1)]
    values[o2.below], values[o2.above] = (
        (ends[0] / values[o2.D_mid]).log(),
        (values[o2.D_mid] / ends[1]).log(),
    )
    values |= {o2.eps: arb(0)}
    y = 0.6
    here = o2._node(Many(), F(line), arb(y), values)
    meant = (1 - acb(line, y) * l) ** 20
    principal = ((1 - acb(line, y) * l) ** 40).sqrt()
    assert abs(here[o2.root] - meant) < arb("1e-12")
    assert abs(principal + meant) < arb("1e-12")
    with pytest.raises(ZeroDivisionError, match="root of D"):
        o2._node(Many(), F(line), arb(3), values)


def test_trap_b_g_in_the_constant_is_the_old_one():
    """Two steps, d = 2, s = 1/2: .807354 with the new g in the first constant, .807320 in truth."""
    run = seen(seed=9)
    exact = log_moment(run, "P|Q", 0.5)
    s = 0.5 * float(renyi(truth(run, "P|Q"), MP.mpf("1.5")))
    assert abs(float(exact.mid()) - s) < 1e-9


@pytest.mark.parametrize("name", ["CONSTANT", "LINEAR", "QUADRATIC", "PLACE", "SPREAD", "STEP_ONWARD"])
def test_every_formula_matters(name, monkeypatch):
    """A kernel with one term doubled is not that of the path."""
    run = seen(seed=9, learn=Phase(6, F(1, 2), F(1, 2048)))
    right = float(log_moment(run, "P|Q", 0.5).mid())
    formula = getattr(kernels, name)
    monkeypatch.setattr(kernels, name, Formula(formula.left, 2 * formula.right))
    assert abs(float(log_moment(run, "P|Q", 0.5).mid()) - right) > 1e-6


def test_trap_c_equal_steps_count_unless_they_come_last():
    """Unlearning steps between two deletions change what is seen later; those at the end do not."""
    between = seen(
        requests=(
            Request((1,), Phase(3, F(1, 2), F(1, 2048))),
            Request((3,), Phase(1, F(1, 2), F(1, 2048))),
        )
    )
    none = replace(
        between,
        requests=(replace(between.requests[0], unlearn=Phase(0, F(1), F(1))), between.requests[1]),
    )
    later = replace(
        between,
        requests=(
            between.requests[0],
            replace(between.requests[1], unlearn=Phase(9, F(1, 2), F(1, 2048))),
        ),
    )
    value = [float(log_moment(run, "P|Q", 1).mid()) for run in (between, none, later)]
    assert abs(value[0] - value[1]) > 1e-4
    assert value[0] == value[2]


def test_trap_d_positive_definite_is_not_a_nonzero_determinant():
    with pytest.raises(Diverges):
        require_positive(kernels.acb_mat([[-1, 0], [0, -1]]))
    require_positive(kernels.acb_mat([[2, 1], [1, 2]]))
    with pytest.raises(Diverges):
        require_positive(kernels.acb_mat([[1, 2], [2, 1]]))
    with pytest.raises(ZeroDivisionError):
        require_positive(kernels.acb_mat([[1, 1], [1, 1]]))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"loss": "logistic"}, "quadratic"),
        ({"projection": F(1)}, "projection"),
        ({"learn": Phase(3, F(1, 2), F(0))}, "no noise"),
        ({"reference": Reference("retrained", 5)}, "other steps"),
        ({"reference": Reference("unlearn-retrained", 4)}, "other steps"),
        ({"reference": Reference("unlearn-retrained", 3, unlearn_variance=F(1, 9))}, "other noise"),
        ({"reference": Reference("unlearn-retrained", 3, output_variance=F(1, 9))}, "output noise"),
    ],
)
def test_refusals(changes, why):
    proof = Proof(seen(**changes))
    for rule, witness in (
        ("O2-renyi", OrderWitness("P|Q", F(2))),
        ("O2", Witness("P|Q", F(1), F(1), F(1, 2), F(1, 99), F(1, 9), 9, 128)),
    ):
        with pytest.raises(NotApplicable, match=why):
            proof.apply(rule, (), witness)


BAD = (
    {"near": F(0)},
    {"near": F(-1, 9)},
    {"width": F(0)},
    {"width": F(-1)},
    {"line": F(0)},
    {"line": F(-1)},
    {"h": F(0)},
    {"h": F(-1, 4)},
    {"n": 0},
    {"n": -3},
    {"n": 10**9},
    {"bits": 1},
    {"bits": 10**6},
    {"epsilon": F(-1)},
    {"near": F(10**6)},
)


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_nonsense_witnesses_are_refused(bad):
    run = seen()
    witness = good(run)
    proof = Proof(run)
    proof.apply("O2", (), witness)
    with pytest.raises(Refusal):
        proof.apply("O2", (), replace(witness, **bad))


def test_too_much_work_is_refused():
    run = seen(d=40, n=60)
    with pytest.raises(NotApplicable, match="too many"):
        Proof(run).apply("O2", (), Witness("P|Q", F(1), F(1), F(1, 2), F(1, 99), F(1, 9), 20000, 128))


def test_a_poor_witness_widens_and_never_lies():
    run = seen(seed=3)
    exact = hockey_stick(truth(run, "P|Q"), 1.0)
    proof, best = Proof(run), good(run)
    for n in (1, 2, 5):
        for h in (best.h / 2, best.h, best.h * 3):
            try:
                found = proof.apply("O2", (), replace(best, n=n, h=h)).statement.delta
            except Undecided:
                continue
            assert found.lower() <= exact * (1 + 1e-8)
            assert exact * (1 - 1e-8) <= found.upper()


def test_the_two_worlds_of_a_row_that_no_step_sums_are_one():
    run = seen(
        learn=Phase(3, F(1, 2), F(1, 2048), ((0, 2, 3),)),
        requests=(Request((1,), Phase(2, F(1, 2), F(1, 2048), ((0, 2, 3),))),),
    )
    assert len(steps(run, "P")) == 5
    assert Proof(run).apply("O2-renyi", (), OrderWitness("P|Q", F(7))).statement.r == 0
