"""Preprocessing: exact norms, correct rounding, and agreement with exact arithmetic."""

from __future__ import annotations

import math
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from certaudit.data.errors import DataError
from certaudit.data.preprocess import (
    clip_rows,
    preprocess,
    signs,
    standard_columns,
    unit_rows,
    unit_target,
)
from certaudit.data.sources import load_table
from certaudit.data.table import Floats, Table

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TAME = st.floats(-4, 4) | st.sampled_from([0.0, 0.6, 0.8, 1.0, 1 + 2**-52, 1 - 2**-53, 2**-27])
TABLES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=FINITE | TAME)


def square(row: Floats) -> Fraction:
    return sum((Fraction(x) ** 2 for x in row.tolist()), Fraction(0))


def is_unit(row: Floats) -> bool:
    return (1 - Fraction(1, 2**48)) ** 2 <= square(row) <= 1


@settings(max_examples=300, deadline=None)
@given(TABLES)
def test_unit_rows(X: Floats) -> None:
    for row, given_row in zip(unit_rows(X), X, strict=True):
        if not given_row.any():
            assert not row.any()
            continue
        assert is_unit(row)
        top = max(map(abs, given_row.tolist()))
        norm = math.sqrt(square(given_row / top))
        np.testing.assert_allclose(row, given_row / top / norm, rtol=1e-14, atol=1e-300)


@settings(max_examples=300, deadline=None)
@given(TABLES)
def test_clip_rows(X: Floats) -> None:
    for row, given_row in zip(clip_rows(X), X, strict=True):
        if square(given_row) <= 1:
            assert np.array_equal(row, given_row)
        else:
            assert is_unit(row)


@pytest.mark.parametrize(
    ("row", "is_long"),
    [
        ([0.6, 0.8], True),  # as float64 numbers, 0.6^2 + 0.8^2 exceeds 1 by 1e-17
        ([1.0, 0.0], False),
        ([1.0, 5e-324], True),
        ([1.0, 2.0**-500], True),
        ([1.0 - 2**-53, 2.0**-27], False),
        ([1.0 - 2**-53, 2.0**-26], True),
        ([0.5, 0.5, 0.5, 0.5], False),
        ([0.5, 0.5, 0.5, 0.5, 2.0**-400], True),
    ],
)
def test_clip_decides_by_the_exact_norm(row: list[float], is_long: bool) -> None:
    X = np.array([row])
    assert (square(X[0]) > 1) == is_long
    assert np.array_equal(clip_rows(X), X) != is_long


def test_unit_rows_of_real_data(tmp_path: Path) -> None:
    X = unit_rows(load_table("sklearn:digits", tmp_path).X)
    assert all(is_unit(row) for row in X)


@settings(max_examples=200, deadline=None)
@given(arrays(np.float64, st.integers(2, 12), elements=FINITE | TAME))
def test_unit_target(y: Floats) -> None:
    exact = [Fraction(value) for value in y.tolist()]
    mean = sum(exact) / len(exact)
    top = max(abs(value - mean) for value in exact)
    if top == 0:
        with pytest.raises(DataError, match="constant"):
            unit_target(y)
        return
    out = unit_target(y)
    assert np.max(np.abs(out)) == 1.0
    scale = max(map(abs, exact))
    # centring rounds once relative to the largest value
    slack = float(scale / top) * 2**-51 + 2**-51
    expected = [float((value - mean) / top) for value in exact]
    if slack < 1:
        np.testing.assert_allclose(out, expected, rtol=0, atol=slack)


@settings(max_examples=200, deadline=None)
@given(TABLES)
def test_standard_columns(X: Floats) -> None:
    out = standard_columns(X)
    assert np.isfinite(out).all()
    for column, given_column in zip(out.T, X.T, strict=True):
        if given_column.min() == given_column.max():
            assert not column.any()
        else:
            assert math.isclose(math.fsum(column * column) / len(column), 1, rel_tol=1e-14)


def test_standard_columns_agree_with_scikit_learn(tmp_path: Path) -> None:
    from sklearn.preprocessing import scale

    X = load_table("sklearn:breast_cancer", tmp_path).X
    np.testing.assert_allclose(standard_columns(X), scale(X), rtol=1e-11, atol=1e-13)


def test_constant_column_is_exactly_zero_whatever_its_mean_rounds_to() -> None:
    X = np.full((49, 1), 0.1)
    X = np.column_stack([X, np.arange(49.0)])
    assert not standard_columns(X)[:, 0].any()


@settings(max_examples=60, deadline=None)
@given(TABLES, st.randoms(use_true_random=False))
def test_order_of_rows_changes_no_bit(X: Floats, chooser: object) -> None:
    order = np.arange(len(X))
    chooser.shuffle(order)  # type: ignore[attr-defined]
    assert np.array_equal(standard_columns(X)[order], standard_columns(X[order]))
    assert np.array_equal(unit_rows(X)[order], unit_rows(X[order]))


def table(y: list[float], labels: tuple[str, ...] | None = None) -> Table:
    return Table(np.eye(len(y)), np.array(y), labels)


def test_signs() -> None:
    assert signs(table([0, 1, 2, 1]), Fraction(1)).tolist() == [-1, 1, -1, 1]
    assert signs(table([0, 0.1]), Fraction(1, 10)).tolist() == [-1, 1]
    assert signs(table([0, 1]), "1.0").tolist() == [-1, 1]
    named = table([0, 0, 0], ("no", "yes", "1.0"))
    assert signs(named, "yes").tolist() == [-1, 1, -1]
    assert signs(named, Fraction(1)).tolist() == [-1, -1, 1]
    assert signs(named, "1").tolist() == [-1, -1, 1]
    for positive in ("maybe", Fraction(7), Fraction(10**400), ".nan"):
        with pytest.raises(DataError, match=r"no row has that label; there are: 1\.0, no, yes"):
            signs(named, positive)
        with pytest.raises(DataError, match="there are: 0, 1, 2, 3, 4, …"):
            signs(table([0, 1, 2, 3, 4, 5, 6]), positive if positive != 7 else "x")
    with pytest.raises(DataError, match="name the label"):
        preprocess(named)


def test_order_is_columns_then_rows() -> None:
    raw = Table(np.array([[1.0, 10.0], [2.0, 0.0], [6.0, 5.0]]), np.arange(3.0))
    X, y = preprocess(raw, columns="standard", rows="unit", target="unit")
    assert np.array_equal(X, unit_rows(standard_columns(raw.X)))
    assert y.tolist() == [-1, 0, 1]
    assert np.array_equal(preprocess(raw)[0], raw.X)


def test_speed_on_digits(tmp_path: Path) -> None:
    digits = load_table("sklearn:digits", tmp_path)
    began = time.perf_counter()
    preprocess(digits, columns="standard", rows="clip", target="unit")
    assert time.perf_counter() - began < 0.5
