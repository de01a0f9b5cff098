"""C3 against a brute-force search of what one Rényi order allows; traps; nonsense planes."""

import math
from fractions import Fraction as F
from functools import cache

import pytest
from flint import arb
from law_runs import law, tiny

from certaudit.claims import BOTH
from certaudit.core.balls import ball, precision
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.rules import c3
from certaudit.core.statement import GaussianDP, Renyi
from certaudit.search import c3 as search
from certaudit.search import r4
from certaudit.search.conversion import improved_epsilon

GRID = [
    (F(2), F(1)), (F(2), F(1, 1000)), (F(101, 100), F(1, 10)), (F(10), F(3)),
    (F(3, 2), F(5)), (F(200), F(1, 50)),
]  # fmt: skip


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


@cache
def allowed(order, renyi, epsilon):
    """The largest p - e^epsilon q within the Rényi ball, searched in floats."""
    a, limit = float(order), math.expm1(float((order - 1) * renyi))

    def beyond(power, ratio):
        p, q = math.exp(power), math.exp(power + ratio)
        inside = power + (1 - a) * ratio
        outside = -1.0 if p == 1 else math.expm1(a * math.log1p(-p) + (1 - a) * math.log1p(-q))
        return inside > 700 or math.exp(inside) + outside > limit

    def gain(power):
        low, high = -800.0, 0.0
        for _ in range(64):
            middle = (low + high) / 2
            low, high = (middle, high) if beyond(power, middle) else (low, middle)
        return -math.exp(power) * math.expm1(float(epsilon) + high)

    grid = [-k * k / 200 for k in range(200)]
    best = max(range(200), key=lambda k: gain(grid[k]))
    low, high = grid[min(best + 1, 199)], grid[max(best - 1, 0)]
    for _ in range(60):
        left, right = low + (high - low) * 0.382, low + (high - low) * 0.618
        low, high = (left, high) if gain(left) < gain(right) else (low, right)
    return max(gain(high), gain(low), gain(0.0), 0.0)


def renyi(order=F(2), r=1, directions=BOTH, observer="final", exactness="upper"):
    return Renyi(order, r if isinstance(r, arb) else ball(r), directions, observer, exactness)


def apply(statement, epsilon, inside, outside):
    return c3.RULE.apply(tiny(), (statement,), c3.Witness(epsilon, inside, outside)).statement


@pytest.mark.parametrize(("order", "r"), GRID)
def test_the_best_plane_gives_what_brute_force_finds(order, r):
    for epsilon in (F(0), r / 2, r, 2 * r + 1):
        plane = search.witness(order, float(r), epsilon)
        found = c3.RULE.apply(tiny(), (renyi(order, r),), plane).statement
        truth = allowed(order, r, epsilon)
        assert float(found.delta.upper()) >= float(truth) * (1 - 1e-9)
        assert float(found.delta.lower()) <= float(truth) * (1 + 1e-6) + 1e-18
        assert (found.epsilon, found.exactness) == (epsilon, "upper")


@pytest.mark.parametrize(("order", "r"), GRID)
def test_no_plane_gives_less_than_brute_force_finds(order, r):
    """Any tangent plane is sound, near the border or far from it: trap (g)."""
    for epsilon in (F(0), r, r + 2):
        truth = float(allowed(order, r, epsilon))
        for inside in (
            F(-5),
            F(0),
            F(1, 10**6),
            epsilon / 2,
            epsilon,
            epsilon + 1,
            epsilon + 8,
            F(60),
            F(10**6),
        ):
            for gap in (F(1, 10**9), F(1, 10), F(1), F(7), F(300), F(10**6)):
                found = apply(renyi(order, r), epsilon, inside, inside - gap)
                assert not float(found.delta.upper()) < truth * (1 - 1e-9)


def test_where_the_line_is_steep_the_corner_counts():
    """Without 0 <= q <= p <= 1 the half-plane p <= c + s q, s > e^epsilon, would bound nothing."""
    plane = (F(5), F(-1))
    found = apply(renyi(F(2), F(1)), F(1), *plane)
    with precision(400):
        A, B = (ball(x).exp() for x in plane)
        c = (arb(1).exp() - 2 * B + B * B) / (2 * (A - B))
        s = (A * A - B * B) / (2 * (A - B))
        assert s > arb(1).exp()
        corner = 1 - arb(1).exp() * (1 - c) / s
    assert found.delta.overlaps(corner)
    assert corner > c


def test_never_above_one():
    assert apply(renyi(F(2), F(50)), F(0), F(1), F(0)).delta == 1
    assert apply(renyi(F(2), arb("inf")), F(0), F(1), F(0)).delta == 1
    assert apply(renyi(F(2), arb("nan")), F(0), F(1), F(0)).delta == 1
    assert apply(renyi(F(2), arb(1, "inf")), F(0), F(1), F(0)).delta == 1


def test_the_upper_end_of_the_bound_counts():
    wide = apply(renyi(F(2), arb(1, 0.5)), F(2), F(3), F(-1, 10)).delta
    top = apply(renyi(F(2), F(3, 2)), F(2), F(3), F(-1, 10)).delta
    assert wide >= top * arb("0.999999")
    assert top > apply(renyi(F(2), F(1)), F(2), F(3), F(-1, 10)).delta


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        (F(0), F(0)),
        (F(0), F(1)),
        (math.nan, F(0)),
        (F(0), math.nan),
        (math.inf, F(0)),
        (F(1), -math.inf),
    ],
)
def test_planes_that_are_none_are_refused(inside, outside):
    with pytest.raises(Undecided, match="ratio"):
        apply(renyi(), F(1), inside, outside)


def test_planes_almost_equal_or_enormous_are_dear_not_wrong():
    truth = float(allowed(F(2), F(1), F(1)))
    big = F(2) ** 100000
    for plane in ((1 / big, F(0)), (F(1), 1 - 1 / big), (big, -big), (big, F(0)), (F(0), -big)):
        assert not float(apply(renyi(F(2), F(1)), F(1), *plane).delta.upper()) < truth


@pytest.mark.parametrize("epsilon", [F(-1), math.nan, math.inf])
def test_nonsense_epsilons_are_refused(epsilon):
    with pytest.raises(Undecided, match="epsilon"):
        apply(renyi(), epsilon, F(1), F(0))


def test_premises():
    with pytest.raises(NotApplicable, match="upper bound"):
        apply(renyi(exactness="lower"), F(1), F(1), F(0))
    with pytest.raises(Undecided, match="order"):
        apply(renyi(order=F(1)), F(1), F(1), F(0))
    proof, line = law(tiny())
    with pytest.raises(NotApplicable, match="Renyi"):
        proof.apply("C3", (line,), c3.Witness(F(1), F(1), F(0)))


def test_scope_is_carried():
    found = apply(renyi(directions=("Q|P",), observer="every-step", exactness="exact"), F(1), F(1), F(0))
    assert (found.directions, found.observer, found.exactness) == (("Q|P",), "every-step", "upper")


@pytest.mark.parametrize("delta", [F(1), F(1, 10), F(1, 10**9), F(1, 10**300)])
@pytest.mark.parametrize(("order", "r"), GRID)
def test_the_epsilon_found_is_proved_and_no_worse_than_c2(order, r, delta):
    proof = Proof(tiny())
    plane = search.optimal_epsilon(order, r, delta)
    found = c3.RULE.apply(proof.run, (renyi(order, r),), plane).statement
    assert found.delta <= ball(delta)
    assert ball(plane.epsilon) <= improved_epsilon(order, r, delta) + arb("1e-9")


def test_epsilon_by_tangent_adds_a_line():
    run = tiny()
    proof, line = law(run)
    composed = proof.apply("R4", (line,), r4.witness(run, line.statement, F(2)))
    found = search.epsilon_by_tangent(proof, composed, F(1, 1000))
    assert found.rule == "C3"
    assert found.statement.delta <= arb("0.001")
    assert proof.lines[-1] is found
    infinite = c3.RULE.apply(run, (renyi(r=arb("inf")),), c3.Witness(F(1), F(1), F(0))).statement
    assert infinite.delta == 1
    with pytest.raises(ValueError, match="finite"):
        search.optimal_epsilon(F(2), arb("inf"), F(1, 10))


def test_gaussians_are_no_renyi_bounds():
    with pytest.raises(NotApplicable, match="Renyi"):
        apply(GaussianDP(arb(1), arb(0), BOTH, "final"), F(1), F(1), F(0))
