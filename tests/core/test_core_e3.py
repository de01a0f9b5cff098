"""E3 and E3-infinite against mpmath; a poor basis widens or refuses; where it turns infinite."""

from dataclasses import replace
from fractions import Fraction as F

import mpmath as mp
import pytest
from exact_pairs import given, line, number
from flint import arb
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from certaudit.core.balls import ball, precision
from certaudit.core.rule import NotApplicable, Refusal, Undecided
from certaudit.core.rules import e3, e3_infinite
from certaudit.core.statement import Pair
from certaudit.search import c7b as diagonal

IDENTITY = ((F(1), F(0)), (F(0), F(1)))


@pytest.fixture(autouse=True)
def bits():
    with precision(320):
        yield


def renyi(law, direction, order, vectors, l):
    return e3.e3(None, (law,), e3.Witness(direction, F(order), vectors, l)).statement.r


def infinite(law, direction, order, vector):
    witness = e3_infinite.Witness(direction, F(order), vector)
    return e3_infinite.e3_infinite(None, (law,), witness).statement.r


def expected(l, nu, order):
    """D_order of N(nu, 1 + l) against N(0, 1)."""
    with mp.workdps(60):
        s, l, nu = number(order) - 1, number(l), number(nu)
        value = (s + 1) * nu**2 / (2 * (1 - s * l)) - (mp.log(1 - s * l) + s * mp.log(1 + l)) / (2 * s)
        return arb(mp.nstr(value, 45)) * arb(1, "1e-43")


@pytest.mark.parametrize("l", [F(0), F(1, 2), F(-1, 2), F(1, 10**6)])
@pytest.mark.parametrize("nu", [F(0), F(2), F(-1, 3)])
@pytest.mark.parametrize("order", [F(1001, 1000), F(2), F(5, 2)])
def test_one_dimension(l, nu, order):
    value = renyi(line(l, nu), "P|Q", order, ((F(1),),), (l,))
    assert abs(value - expected(l, nu, order)) < arb("1e-40")


@pytest.mark.parametrize("direction", ["P|Q", "Q|P"])
def test_any_coordinates_give_the_same(direction):
    """V of length 1/2 in one axis and 3 in another whitens a pair of other units."""
    law = given(
        [F(2), F(1, 3)], [[F(6), F(0)], [F(0), F(1, 6)]], [F(0), F(0)], [[F(4), F(0)], [F(0), F(1, 9)]]
    )
    sign = 1 if direction == "P|Q" else -1
    vectors = ((F(1, 2), F(0)), (F(0), F(3)))
    if sign == 1:
        value = renyi(law, direction, 2, vectors, (F(1, 2), F(1, 2)))
        assert abs(value - 2 * expected(F(1, 2), F(1), F(2))) < arb("1e-40")
    else:
        found = diagonal.diagonal(law, direction).witness(0.0)
        value = renyi(law, direction, 2, found.vectors, found.l)
        other = 2 * expected(F(-1, 3), 0, F(2)) + 2 * 2 * ball(F(2, 3)) / (2 * ball(F(4, 3)))
        assert abs(value - other) < arb("1e-25")


@settings(max_examples=80, deadline=None)
@forall(
    st.fractions(F(-1, 2), F(2), max_denominator=12),
    st.fractions(F(-2), F(2), max_denominator=12),
    st.fractions(F(-1, 5), F(1, 5), max_denominator=400),
    st.fractions(F(-1, 5), F(1, 5), max_denominator=400),
    st.fractions(F(11, 10), F(6), max_denominator=10),
)
def test_a_poor_basis_only_widens(l, nu, a, b, order):
    try:
        value = renyi(line(l, nu), "P|Q", order, ((1 + a,),), (l + b,))
    except Refusal:
        return
    assert (order - 1) * l < 1
    assert value.overlaps(expected(l, nu, order))


def test_trap_m_the_mean_is_v_delta_itself():
    """The radius must grow with V^T Delta, which no witness can make small."""
    law = line(F(1, 10), F(100))
    value = renyi(law, "P|Q", 2, ((F(1),),), (F(1, 10) + F(1, 1000),))
    assert value.contains(expected(F(1, 10), F(100), 2).mid())
    assert value.rad() > 5


BROKEN = [
    {"vectors": ((F(1),), (F(0),))},
    {"vectors": ((F(1), F(0)),)},
    {"vectors": ()},
    {"vectors": ((F(0), F(0)), (F(0), F(0)))},
    {"vectors": ((F(3), F(0)), (F(0), F(1)))},
    {"l": (F(1, 2),)},
    {"l": (F(-1), F(0))},
    {"l": (F(-3), F(0))},
    {"l": (F(9, 10), F(0))},
    {"order": F(3)},
    {"order": F(4)},
    {"order": F(10**300)},
]


@pytest.mark.parametrize("changes", BROKEN, ids=str)
def test_a_broken_witness_is_refused(changes):
    law = given([F(0), F(1)], [[F(3, 2), F(0)], [F(0), F(1)]], [F(0), F(0)], IDENTITY)
    good = e3.Witness("P|Q", F(2), IDENTITY, (F(1, 2), F(0)))
    assert e3.e3(None, (law,), good).statement.r > 0
    with pytest.raises(Undecided):
        e3.e3(None, (law,), replace(good, **changes))


@pytest.mark.parametrize("order", [F(1), F(1, 2), F(0), F(-3)])
def test_orders_above_1_only(order):
    law = line(F(1), F(1))
    with pytest.raises(NotApplicable):
        renyi(law, "P|Q", order, ((F(1),),), (F(1),))
    with pytest.raises(NotApplicable):
        infinite(law, "P|Q", order, (F(1),))


def test_where_it_turns_infinite():
    """At 1 + 1/l neither rule concludes; just next to it one of them does."""
    law = line(F(1, 2), F(1))
    for order in (F(3), F(3) + F(1, 10**90)):
        with pytest.raises(Undecided):
            renyi(law, "P|Q", order, ((F(1),),), (F(1, 2),))
    with pytest.raises(Undecided):
        infinite(law, "P|Q", 3, (F(1),))
    assert infinite(law, "P|Q", F(3) + F(1, 10**90), (F(1),)) == arb("inf")
    assert renyi(law, "P|Q", F(3) - F(1, 10**60), ((F(1),),), (F(1, 2),)).is_finite()
    with pytest.raises(Undecided):
        infinite(law, "P|Q", F(3) - F(1, 10**60), (F(1),))


def test_one_direction_may_be_infinite_alone():
    law = line(F(1, 2), F(1))
    with pytest.raises(Undecided):
        infinite(law, "Q|P", 1000, (F(1),))
    assert infinite(given([F(0)], [[F(1)]], [F(1)], [[F(3, 2)]]), "Q|P", 4, (F(1),)) == arb("inf")


def test_infinite_needs_no_regular_covariance():
    flat = [[F(1), F(0)], [F(0), F(0)]]
    law = given([F(0)] * 2, IDENTITY, [F(0)] * 2, flat)
    assert infinite(law, "P|Q", F(1001, 1000), (F(0), F(1))) == arb("inf")
    with pytest.raises(Undecided):
        infinite(law, "P|Q", 50, (F(1), F(0)))
    with pytest.raises(Undecided):
        infinite(law, "Q|P", 50, (F(0), F(1)))


@pytest.mark.parametrize("vector", [(), (F(1),), (F(1), F(0), F(0)), (F(0), F(0))])
def test_a_broken_direction_is_refused(vector):
    law = given([F(0)] * 2, [[F(9), F(0)], [F(0), F(9)]], [F(0)] * 2, IDENTITY)
    with pytest.raises(Undecided):
        infinite(law, "P|Q", 5, vector)


def test_need_a_law():
    stand_in = Pair("P|Q", (), (), arb(1))
    with pytest.raises(NotApplicable):
        e3.e3(None, (stand_in,), e3.Witness("P|Q", F(2), (), ()))
    with pytest.raises(NotApplicable):
        e3_infinite.e3_infinite(None, (stand_in,), e3_infinite.Witness("P|Q", F(2), ()))


@pytest.mark.parametrize("order", [F(2), F(10)])
@pytest.mark.parametrize("off", [F(1, 1000), F(-1, 1000)])
def test_every_log_det_has_its_error(order, off):
    """Where l is near -1 the log dets of S_P and S_Q weigh more than that of their mixture."""
    l = F(-9, 10)
    value = renyi(line(l, F(0)), "P|Q", order, ((F(1),),), (l + off,))
    assert value.overlaps(expected(l, F(0), order))
    law = given([F(0)], [[1 + l]], [F(0)], [[1 + off]])
    value = renyi(law, "P|Q", order, ((F(1),),), (l,))
    assert value.overlaps(expected((1 + l) / (1 + off) - 1, F(0), order))
