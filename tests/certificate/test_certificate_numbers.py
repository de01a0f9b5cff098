"""Exact numbers as text."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certaudit.certificate.numbers import NotExact, parse, spell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_spelled_as_what_it_is(x):
    assert parse(spell(x)) == Fraction(x)


@given(st.fractions())
def test_a_fraction_comes_back(x):
    assert parse(spell(x)) == x


@given(st.integers(-(10**6000), 10**6000))
def test_long_integers_come_back(x):
    assert parse(spell(x)) == x


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (12, "12"),
        (-12.0, "-12"),
        (0.375, "3p-3"),
        (-0.5, "-1p-1"),
        (Fraction(1, 10), "1/10"),
        (Fraction(-2, 6), "-1/3"),
        (0.1, "3602879701896397p-55"),
        (2**70, str(2**70)),
    ],
)
def test_the_one_spelling(x, text):
    assert spell(x) == text


@pytest.mark.parametrize(
    ("text", "x"),
    [("6p-3", Fraction(3, 4)), ("3p2", 12), ("2/4", Fraction(1, 2)), ("007", 7), ("-0", 0)],
)
def test_other_spellings_are_read(text, x):
    assert parse(text) == x


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "+1", "1.0", "1e5", "1E5", ".5", "0x1", "1_000", "--1", "-", "nan", "inf"),
        *("1/0", "1/-2", "-1/0", "/2", "1/", "1/2/3", "1p", "p1", "1p+1", "1p1.0", "1p1p1"),
        *("1P1", "1/2p1"),
        *("\u0661", "1\u0662", "\uff11", "\u00b2", "1\n", "\n1", "1\x00", "\u22121"),
        *("1p100001", "1p-100001", "1p99999999999999999999", "1" * 20_001, "1/" + "3" * 20_000),
    ],
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(NotExact):
        parse(text)


@pytest.mark.parametrize(
    "x",
    [float("nan"), float("inf"), Fraction(1, 2**100_001), Fraction(1, 3**60_000), 10**20_001],
    ids=["nan", "inf", "exponent", "fraction", "integer"],
)
def test_what_has_no_spelling_is_not_written(x):
    with pytest.raises(NotExact):
        spell(x)


def test_the_limits_themselves_are_read():
    assert parse("1p100000") == 2**100_000
    assert parse("9" * 20_000) == 10**20_000 - 1
