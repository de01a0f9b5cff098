"""C6 on a vertical line, C6-1d and C6-event, against mpmath in one dimension and against C7 and C5."""

from dataclasses import replace
from fractions import Fraction as F

import mpmath as mp
import pytest
from exact_pairs import flipped, given, line, number, pair, product, truth, turned
from flint import arb
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from law_runs import GOLDEN, agrees

from certaudit.core.balls import precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.rule import NotApplicable, Refusal, Undecided
from certaudit.core.rules import c6, c6_1d, c6_event, c7
from certaudit.search import c6 as search
from certaudit.search import c7 as other_search
from certaudit.search.twin import FloatPair

DIRECTIONS = ("P|Q", "Q|P")


@pytest.fixture(autouse=True)
def bits():
    with precision(320):
        yield


def found(l, nu, eps, digits=16):
    one = pair(l, nu)
    return one, search.witness(one, FloatPair(one.l, one.nu), eps, digits)


def delta(one, witness):
    return c6.c6(None, (one,), witness).statement.delta


def in_one(law, eps, direction="P|Q"):
    return c6_1d.c6_1d(None, (law,), c6_1d.Witness(direction, F(eps))).statement.delta


def event(law, eps, normal, threshold, direction="P|Q"):
    witness = c6_event.Witness(direction, F(eps), normal, F(threshold))
    return c6_event.c6_event(None, (law,), witness).statement.delta


@pytest.mark.parametrize(
    ("l", "nu", "eps", "digits"),
    [
        (F(0), F(2), F(5), 30),
        (F(0), F(1, 100), F(0), 16),
        (F(1, 10**5), F(1, 100), F(1, 20), 16),
        (F(-1, 10**5), F(1, 100), F(1, 20), 16),
        (F(1, 2), F(8), F(20), 12),
        (F(-1, 2), F(1), F(1, 2), 3),
        (F(2), F(0), F(1), 3),
    ],
)
def test_vertical_line(l, nu, eps, digits):
    one, witness = found((l,), (nu,), eps, digits)
    value = delta(one, witness)
    assert value.overlaps(truth(l, nu, eps))
    assert value.rel_accuracy_bits() > 3.3 * digits - 3


def test_many_scales():
    """Both contours give one number, where either alone could be wrong."""
    l = (F(-1, 10**3), F(1, 10**3), F(1, 50), F(1, 10**9), F(0))
    nu = (F(1, 10), F(1, 5), F(1, 2), F(1, 10**4), F(1, 10))
    one, witness = found(l, nu, F(1), 20)
    second = other_search.witness(one, FloatPair(one.l, one.nu), F(1), 20)
    values = delta(one, witness), c7.c7(None, (one,), second).statement.delta
    assert values[0].overlaps(values[1])
    assert all(x.rel_accuracy_bits() > 60 for x in values)


BROKEN = [
    {"line": F(0)},
    {"line": F(-1)},
    {"line": F(1), "width": F(1)},
    {"width": F(0)},
    {"width": F(-1, 10)},
    {"h": F(0)},
    {"h": F(-1, 10)},
    {"n": 0},
    {"n": -3},
    {"n": 20001},
    {"gamma": F(0)},
    {"gamma": F(-1)},
    {"epsilon": F(-1)},
    {"bits": 0},
    {"line": F(19, 10), "width": F(1, 10)},
    {"line": F(3), "width": F(1)},
    {"line": F(10**1000), "width": F(1)},
]


@pytest.mark.parametrize("changes", BROKEN, ids=str)
def test_a_broken_line_is_refused(changes):
    one, witness = found((F(1, 2),), (F(8),), F(20), 6)
    with pytest.raises(Undecided):
        delta(one, replace(witness, **changes))


@pytest.mark.parametrize("width", [F(1), F(3, 2), F(2), F(3), F(50)])
def test_a_strip_over_the_poles_is_refused(width):
    """Left of -1 the edge's formula is finite again, but the poles lie in the strip."""
    one, witness = found((F(0),), (F(1),), F(1), 6)
    with pytest.raises(Undecided, match="0 < width < line"):
        delta(one, replace(witness, line=F(1), width=width))


@settings(max_examples=150, deadline=None)
@forall(
    st.sampled_from([F(1, 2), F(-1, 2), F(0)]),
    st.fractions(F(1, 50), F(3), max_denominator=60),
    st.fractions(F(0), F(1), max_denominator=60),
    st.fractions(F(1, 100), F(2), max_denominator=100),
    st.integers(1, 150),
)
def test_no_line_makes_it_lie(l, at, share, h, n):
    with precision(160):
        one = pair((l,), (F(1),))
        witness = c6.Witness(F(1), F(1, 2**200), at, at * share, h, n, 160)
        try:
            value = delta(one, witness)
        except Refusal:
            return
        assert value.overlaps(truth(l, F(1), F(1)))


@pytest.mark.parametrize("row", GOLDEN["gaussian_pair_1d"])
def test_golden(row):
    law = given([F(row["mean_p"])], [[F(row["var_p"])]], [F(row["mean_q"])], [[F(row["var_q"])]])
    assert agrees(in_one(law, F(row["epsilon"])), row["delta"])


@pytest.mark.parametrize("l", [F(1, 2), F(-1, 2), F(20), F(-19, 20), F(1, 10**9), F(-1, 10**9), F(0)])
@pytest.mark.parametrize("nu", [F(0), F(1, 100), F(-2), F(9)])
@pytest.mark.parametrize("eps", [F(0), F(1, 10), F(3), F(60)])
def test_one_dimension(l, nu, eps):
    if l == nu == 0:
        assert in_one(line(l, nu), eps) == 0
        return
    expected = truth(l, nu, eps, 400)
    assert in_one(line(l, nu), eps).overlaps(expected)
    assert in_one(line(l, nu, reverse=True), eps, "Q|P").overlaps(expected)
    assert in_one(line(l, nu), eps).rel_accuracy_bits() > 40 or expected == 0


def test_points():
    """A variance of 0 is a point: delta is 1 unless both are the same point."""
    point, other, spread = ([F(1)], [[F(0)]]), ([F(2)], [[F(0)]]), ([F(1)], [[F(1)]])
    for direction in DIRECTIONS:
        assert in_one(given(*point, *point), 1, direction) == 0
        assert in_one(given(*point, *other), 1, direction) == 1
        assert in_one(given(*point, *spread), 1, direction) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"covariance_p": ((arb(0, "1e-50"),),)},
        {"covariance_p": ((arb(1, "1e-50"),),), "covariance_q": ((arb(1),),)},
        {"covariance_p": ((arb(0),),), "covariance_q": ((arb(0),),), "mean_p": (arb(0, 1),)},
        {"covariance_p": ((arb(0),),), "covariance_q": ((arb(0, "1e-50"),),)},
        {"covariance_p": ((arb(-1),),)},
        {"mean_p": (arb("nan"),)},
    ],
)
def test_one_dimension_refuses_what_balls_cannot_tell(change):
    with pytest.raises(Undecided):
        in_one(replace(line(F(1, 2), F(1)), **change), 1)


def test_one_dimension_refuses_more_and_epsilon_below_0():
    with pytest.raises(NotApplicable):
        in_one(given([F(0)] * 2, turned(2), [F(0)] * 2, turned(2)), 1)
    with pytest.raises(Undecided):
        in_one(line(F(1), F(1)), -1)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_event_is_what_it_is(direction):
    rows = turned(2)
    cov_p = product(product(rows, [[F(2), F(0)], [F(0), F(3)]]), flipped(rows))
    law = given([F(1), F(-1)], cov_p, [F(0), F(1, 2)], [[F(1), F(0)], [F(0), F(2)]])
    normal, threshold = (F(2), F(-1)), F(3, 2)
    value = event(law, F(1, 3), normal, threshold, direction)
    with mp.workdps(50):
        tails = []
        for mean, cov in (([1, -1], cov_p), ([0, F(1, 2)], [[1, 0], [0, 2]])):
            m = sum(number(x) * number(y) for x, y in zip(normal, mean, strict=True))
            v = sum(
                number(normal[i]) * number(cov[i][j]) * number(normal[j]) for i in (0, 1) for j in (0, 1)
            )
            tails.append(mp.erfc((number(threshold) - m) / mp.sqrt(2 * v)) / 2)
        if direction == "Q|P":
            tails.reverse()
        expected = tails[0] - mp.exp(number(F(1, 3))) * tails[1]
    assert abs(value - arb(mp.nstr(expected, 40))) < arb("1e-35")


@settings(max_examples=60, deadline=None)
@forall(
    st.fractions(F(-9, 10), F(4), max_denominator=20),
    st.fractions(F(-3), F(3), max_denominator=20),
    st.fractions(F(0), F(4), max_denominator=20),
    st.fractions(F(-5), F(5), max_denominator=20),
    st.sampled_from([F(1), F(-1), F(1, 3)]),
)
def test_an_event_is_never_above_delta(l, nu, eps, threshold, normal):
    with precision(200):
        law = line(l, nu)
        if l == nu == 0:
            return
        assert not event(law, eps, (normal,), threshold) > truth(l, nu, eps, 200).upper()


def test_a_half_space_along_the_shift_is_exact_for_equal_covariances():
    law = given([F(3), F(4)], turned(2), [F(0), F(0)], turned(2))
    same = [[F(1), F(0)], [F(0), F(1)]]
    law = given([F(3), F(4)], same, [F(0), F(0)], same)
    level = F(7)
    value = event(law, level, (F(3, 5), F(4, 5)), level / 5 + F(5, 2))
    assert abs(value / gaussian_delta(F(5), level) - 1) < arb("1e-60")


def test_events_at_points():
    law = given([F(1)], [[F(0)]], [F(0)], [[F(0)]])
    assert event(law, 1, (F(1),), F(1, 2)) == 1
    assert event(law, 1, (F(1),), F(1)) == 0
    assert event(law, 0, (F(1),), F(-1)) == 0
    assert event(law, 1, (F(0),), F(1)) == 0


@pytest.mark.parametrize("normal", [(), (F(1),), (F(1), F(0), F(0))])
def test_an_event_of_another_dimension_is_refused(normal):
    law = given([F(0)] * 2, turned(2), [F(0)] * 2, turned(2))
    with pytest.raises(Undecided):
        event(law, 1, normal, 0)


def test_an_event_refuses_what_balls_cannot_tell():
    law = line(F(1), F(1))
    for change in (
        {"covariance_p": ((arb(0, "1e-50"),),)},
        {"covariance_p": ((arb(0),),), "mean_p": (arb(0, 1),)},
        {"covariance_p": ((arb(-1),),)},
        {"mean_p": (arb("nan"),)},
    ):
        with pytest.raises(Undecided):
            event(replace(law, **change), 1, (F(1),), 0)
    with pytest.raises(Undecided):
        event(law, -1, (F(1),), 0)
