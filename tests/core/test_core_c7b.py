"""C7b: the stand-in's closeness, its inequality against exact laws, and the traps of section 6."""

from dataclasses import replace
from fractions import Fraction as F

import pytest
from exact_pairs import flipped, given, line, product, truth, turned
from flint import arb
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from certaudit.core.balls import ball, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.rule import NotApplicable, Undecided
from certaudit.core.rules import c6, c7, c7b
from certaudit.core.statement import Pair
from certaudit.search import c6 as line_search
from certaudit.search import c7 as search
from certaudit.search import c7b as diagonal
from certaudit.search.twin import FloatPair

Witness = c7b.Witness
IDENTITY = ((F(1), F(0)), (F(0), F(1)))


@pytest.fixture(autouse=True)
def bits():
    with precision(320):
        yield


def two(d=3, unit=F(1)):
    """Covariances with a common basis: P has (2, 3, ...), Q has (1, 1/2, ...), and means apart, in
    units of ``unit``."""
    rows = turned(d)
    scale = unit * unit
    wide = [[scale * (i + 2) * (i == j) for j in range(d)] for i in range(d)]
    narrow = [[scale * F(1, i + 1) * (i == j) for j in range(d)] for i in range(d)]
    turn = lambda x: product(product(rows, x), flipped(rows))
    return given([unit] * d, turn(wide), [F(0)] * d, turn(narrow))


def conclude(law, witness):
    return c7b.c7b(None, (law,), witness).statement


@pytest.mark.parametrize("direction", ["P|Q", "Q|P"])
def test_it_whitens(direction):
    law = two()
    found = diagonal.diagonal(law, direction)
    one = conclude(law, found.witness(0.0))
    expected = [F(1), F(5), F(11)] if direction == "P|Q" else [F(-1, 2), F(-5, 6), F(-11, 12)]
    for x in expected:
        assert any(abs(y - ball(x)) < arb("1e-30") for y in one.l)
    assert one.direction == direction
    assert one.phi < arb("1e-30")
    assert one.phi > 0


def test_mirrored_is_the_other_direction():
    law = two()
    found = diagonal.diagonal(law, "P|Q").mirrored()
    assert found.direction == "Q|P"
    assert conclude(law, found.witness(0.0)).phi < arb("1e-30")


@pytest.mark.parametrize("unit", [F(10) ** -100, F(10) ** 100])
def test_any_unit(unit):
    law = two(unit=unit)
    assert conclude(law, diagonal.diagonal(law, "P|Q").witness(0.0)).phi < arb("1e-30")


def test_exact_laws_give_a_phi_above_0():
    """Trap l."""
    law = line(F(1), F(2))
    one = conclude(law, Witness("P|Q", ((F(1),),), (F(1),), (F(2),)))
    assert one.phi > 0


def test_phi_covers_every_deviation():
    """Each of E_Q, E_P and tau alone, at its own size; and phi = phi_0/(1 - phi_0)."""
    law = line(F(1), F(2))
    for vector, l, nu, phi0 in (
        (F(1), F(1), F(2) - F(1, 50), ball(F(1, 50)) / arb(2).sqrt()),
        (F(1), F(1) - F(1, 50), F(2), F(1, 50) / F(99, 50)),
        (F(101, 100), F(1), F(101, 50), F(201, 10000)),
    ):
        one = conclude(law, Witness("P|Q", ((vector,),), (l,), (nu,)))
        expected = ball(phi0) if isinstance(phi0, F) else phi0
        assert abs(one.phi - expected / (1 - expected)) < arb("1e-60")


@settings(max_examples=60, deadline=None)
@forall(
    st.fractions(F(-1, 2), F(2), max_denominator=12),
    st.fractions(F(0), F(2), max_denominator=12),
    st.fractions(F(-1, 40), F(1, 40), max_denominator=4000),
    st.fractions(F(-1, 40), F(1, 40), max_denominator=4000),
    st.fractions(F(-1, 40), F(1, 40), max_denominator=4000),
    st.fractions(F(0), F(3), max_denominator=12),
    st.integers(1, 12),
)
def test_the_inequality_holds_however_poor_the_stand_in(l, nu, a, b, c, eps, k):
    """A wrong V, l and nu, at any gamma: the ball still holds delta(eps)."""
    with precision(192):
        law = line(l, nu)
        witness = Witness("P|Q", ((1 + a,),), (l + b,), (nu + c,))
        try:
            one = conclude(law, witness)
            gamma = F(float(one.phi)) * k
            asked = line_search.witness(one, FloatPair(one.l, one.nu), eps, 4)
            value = c6.c6(None, (one,), replace(asked, gamma=gamma)).statement.delta
        except Undecided:
            return
        if l == nu == 0:
            assert value.contains(0)
        else:
            assert value.overlaps(truth(l, nu, eps, 200))


def test_both_ends_are_needed():
    """A stand-in whose shift is too small or too large: delta lies off delta~, but in the ball."""
    law = given([F(2)] * 2, IDENTITY, [F(0)] * 2, IDENTITY)
    expected = gaussian_delta(arb(8).sqrt(), arb(3))
    for off in (F(1, 10**4), F(-1, 10**4)):
        one = conclude(law, Witness("P|Q", IDENTITY, (F(0), F(0)), (F(2) + off, F(2) + off)))
        gamma = F(float(one.phi)) * 60
        asked = line_search.witness(one, FloatPair(one.l, one.nu), F(3), 10)
        value = c6.c6(None, (one,), replace(asked, gamma=gamma)).statement.delta
        assert value.overlaps(expected)
        assert value.rad() < arb("0.01")
        sure = replace(one, phi=arb("1e-90"))
        assert not c6.c6(None, (sure,), replace(asked, gamma=F(1, 10**80))).statement.delta.overlaps(
            expected
        )


def test_trap_k_v_with_fewer_columns():
    law = given([F(0), F(1)], IDENTITY, [F(0), F(0)], IDENTITY)
    assert gaussian_delta(F(1), F(0)) > arb("0.38")
    for table in (((F(1),), (F(0),)), ((F(1), F(0)),), (), ((F(1), F(0)), (F(0),))):
        for l in ((F(0),), (F(0), F(0))):
            with pytest.raises(Undecided):
                conclude(law, Witness("P|Q", table, l, l))


BROKEN = [
    {"vectors": ((F(1), F(1)), (F(1), F(1)))},
    {"vectors": ((F(0), F(0)), (F(0), F(0)))},
    {"vectors": ((F(1), F(0)), (F(0), F(3)))},
    {"l": (F(-1), F(0))},
    {"l": (F(-2), F(0))},
    {"l": (F(-1) - F(1, 10**90), F(0))},
    {"l": (F(1), F(0))},
    {"l": (F(0),)},
    {"l": (F(0), F(0), F(0))},
    {"nu": (F(1),)},
    {"nu": (F(0), F(2))},
    {"nu": (F(10**300), F(1))},
]


@pytest.mark.parametrize("changes", BROKEN, ids=str)
def test_a_broken_witness_is_refused(changes):
    law = given([F(0), F(1)], IDENTITY, [F(0), F(0)], IDENTITY)
    good = Witness("P|Q", IDENTITY, (F(0), F(0)), (F(0), F(1)))
    assert conclude(law, good).phi < arb("1e-90")
    with pytest.raises(Undecided):
        conclude(law, replace(good, **changes))


@pytest.mark.parametrize("which", ["covariance_p", "covariance_q"])
def test_a_singular_law_has_no_stand_in(which):
    law = given([F(0), F(1)], IDENTITY, [F(0), F(0)], IDENTITY)
    flat = replace(law, **{which: ((arb(1), arb(0)), (arb(0), arb(0)))})
    with pytest.raises(Undecided):
        conclude(flat, Witness("P|Q", IDENTITY, (F(0), F(0)), (F(0), F(1))))
    with pytest.raises(Undecided):
        diagonal.diagonal(flat, "P|Q")


def test_needs_a_law():
    with pytest.raises(NotApplicable):
        c7b.c7b(None, (Pair("P|Q", (), (), arb(1)),), Witness("P|Q", (), (), ()))


def test_trap_g_a_delta_below_the_usual_kappa():
    """kappa is as small as gamma makes it."""
    one = conclude(line(F(0), F(1)), Witness("P|Q", ((F(1),),), (F(0),), (F(1),)))
    witness = search.witness(one, FloatPair(one.l, one.nu), F(90), 8)
    value = c7.c7(None, (one,), witness).statement.delta
    assert value.overlaps(gaussian_delta(F(1), F(90)))
    assert value < arb("1e-1700")
    assert value.rel_accuracy_bits() > 20
