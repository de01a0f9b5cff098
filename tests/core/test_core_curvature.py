"""Curvature against spectra of numpy; any witness is harmless (the traps of theory, section 14)."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from step_runs import curved, small

from certaudit.core.balls import precision
from certaudit.core.rule import NotApplicable, PremiseFailed, Undecided
from certaudit.core.rules.curvature import Witness, curvature
from certaudit.run import Batch, Clip, Network, Start

ALL = Batch(None, ())
BETA = {"ridge": 1, "logistic": 0.25, "huber": 1, "softmax": 0.5}


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


def found(run, batch=ALL):
    return curved(run, batch)[1].statement


@pytest.mark.parametrize("loss", BETA)
@pytest.mark.parametrize("normalizer", ["fixed", "current", "sum"])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (9, 1), (9, 3), (3, 5), (40, 8)])
def test_the_spectrum_is_that_of_numpy(loss, normalizer, n, d):
    run = small(loss, n=n, d=d, normalizer=normalizer)
    for batch in (ALL, Batch(None, (0,)), Batch((0,), ())):
        rows = list(run.rows(batch))
        values = np.linalg.eigvalsh(run.X[rows].T @ run.X[rows])
        statement, size = found(run, batch), run.count(batch)
        low, high = max(values[0], 0) if len(rows) >= d else 0, values[-1]
        m = 0.1 + (low / size if loss == "ridge" else 0)
        assert float(statement.m.lower()) <= m + 1e-12 * high
        assert abs(float(statement.m) - m) <= 1e-12 * (high + 1)
        assert abs(float(statement.L) - (BETA[loss] * high / size + 0.1)) <= 1e-12 * (high + 1)
        assert statement.convex


def test_the_bounds_hold_exactly_for_a_known_spectrum():
    """X = diag(1, 2, 3) rotated by a rational rotation: eigenvalues 1, 4, 9 of X^T X."""
    turn = np.array(
        [[F(3, 5), F(4, 5), F(0)], [F(-4, 5), F(3, 5), F(0)], [F(0), F(0), F(1)]], dtype=object
    )
    X = np.diag([F(1), F(2), F(3)]).astype(object).dot(turn)
    run = small("ridge", n=3, d=3, X=X, y=np.array([F(0)] * 3, dtype=object), l2=F(0), normalizer="sum")
    statement = found(run)
    assert statement.m <= 1 or statement.m.contains(1)
    assert statement.L >= 9 or statement.L.contains(9)
    assert abs(statement.m - 1) < arb("1e-13")
    assert abs(statement.L - 9) < arb("1e-13")


def test_digits_whose_gram_matrix_is_singular():
    X, y = load_digits(return_X_y=True)
    X = X / np.linalg.norm(X, axis=1).max()
    run = small("ridge", n=len(X), d=64, X=X, y=y, l2=F(1, 1000))
    values = np.linalg.eigvalsh(X.T @ X) / len(X)
    statement = found(run)
    assert values[0] < 1e-12
    assert 0.001 <= float(statement.m) <= 0.001 + 1e-12
    assert abs(float(statement.L) / (values[-1] + 0.001) - 1) < 1e-12


def test_empty_batches():
    for normalizer in ("fixed", "current", "sum"):
        statement = found(small(normalizer=normalizer), Batch((1, 4), (1, 4)))
        assert abs(statement.m - arb("0.1")) < arb("1e-50")
        assert abs(statement.L - arb("0.1")) < arb("1e-50")


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-160, 1e150, 1e200, 1e300])
def test_rows_tiny_and_huge(size):
    run = small("ridge", n=9, d=3, l2=F(0), normalizer="sum")
    plain, scaled = found(run), found(replace(run, X=run.X * size))
    for name in ("m", "L"):
        ratio = getattr(scaled, name) / getattr(plain, name) / arb(size) ** 2
        assert abs(ratio - 1) < arb("1e-10")


def test_rows_of_very_different_sizes():
    run = small("ridge", n=4, d=2, l2=F(0), normalizer="sum")
    run = replace(run, X=np.array([[1e200, 0.0], [0.0, 1e-200], [0.0, 0.0], [0.0, 0.0]]))
    statement = found(run)
    assert statement.m <= arb("1e-400") * (1 + arb("1e-10"))
    assert arb("0.99e400") < statement.L


def unit(d):
    """X^T X = I, l2 = 0, N = 1: m <= 1 <= L."""
    return small("ridge", n=d, d=d, X=np.eye(d), y=np.zeros(d), l2=F(0), normalizer="sum")


def test_trap_c_lengths_of_the_vectors():
    """V = 1.2: V^T H V = 1.44 > lambda_min = 1; V = 0.8: .64 < lambda_max = 1."""
    for length, apart in ((1.2, "0.44"), (0.8, "0.36")):
        statement = curvature(unit(1), (), Witness(ALL, ((length,),))).statement
        square = arb(length) ** 2
        assert statement.m <= 1 or statement.m.contains(1)
        assert statement.L >= 1 or statement.L.contains(1)
        assert abs(statement.m - square / (1 + arb(apart))) < arb("1e-14")
        assert abs(statement.L - square / (1 - arb(apart))) < arb("1e-14")
    with pytest.raises(Undecided, match="orthonormal"):
        curvature(unit(1), (), Witness(ALL, ((1.5,),)))


@pytest.mark.parametrize(
    "vectors",
    [
        ((1.0,), (0.0,)),
        ((1.0, 0.0),),
        (),
        ((), ()),
        ((1.0, 0.0), (0.0,)),
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        ((1.0, 1.0), (1.0, 1.0)),
        ((1.0, 0.0), (0.0, 0.0)),
        ((float("nan"), 0.0), (0.0, 1.0)),
        ((float("inf"), 0.0), (0.0, 1.0)),
        ((1.0, float("nan")), (0.0, 1.0)),
        ((1e308, 0.0), (0.0, 1.0)),
    ],
)
def test_trap_d_anything_but_a_square_nearly_orthonormal_table_is_refused(vectors):
    """One column alone would hide the other eigenvalue."""
    run = small("ridge", n=2, d=2, X=np.diag([1.0, 0.0]), y=np.zeros(2), l2=F(0), normalizer="sum")
    with pytest.raises(Undecided):
        curvature(run, (), Witness(ALL, vectors))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.4))
def test_a_poor_witness_only_widens(seed, off):
    rng = np.random.default_rng(seed)
    run = small("ridge", n=5, d=3, seed=seed, l2=F(0), normalizer="sum")
    values = np.linalg.eigvalsh(run.X.T @ run.X)
    start = np.linalg.qr(rng.normal(size=(3, 3)))[0] + off * rng.normal(size=(3, 3)) / 3
    with precision(192):
        try:
            statement = curvature(run, (), Witness(ALL, tuple(map(tuple, start.tolist())))).statement
        except Undecided:
            return
    assert float(statement.m.lower()) <= values[0] * (1 + 1e-9)
    assert float(statement.L.upper()) >= values[-1] * (1 - 1e-9)


def test_clips():
    """Outside, a loss of a margin stays convex; what else a clip takes is said."""
    for loss, regularizer, convex in (
        ("logistic", False, True),
        ("ridge", False, True),
        ("logistic", True, False),
        ("softmax", False, False),
        ("softmax", True, False),
    ):
        statement = found(small(loss, clip=Clip(F(1), regularizer)))
        assert statement.convex is convex
        assert abs(statement.m - (0 if regularizer else arb("0.1"))) < arb("1e-50")


def test_premises():
    labels = small("logistic").y.copy()
    labels[0] = 8.0
    run = small("logistic", y=labels)
    with pytest.raises(PremiseFailed, match="labels"):
        found(run)
    assert found(run, Batch(None, (0,)))
    network = replace(
        small("softmax"),
        loss="network",
        network=Network("mlp", (2,), "tanh"),
        start=Start((F(0),) * 15, F(0)),
    )
    with pytest.raises(NotApplicable, match="curvature"):
        found(network)


@pytest.mark.parametrize("members", [(7,), (-1,), (0, 10**30), (0.5,)])
def test_batches_of_no_rows_of_the_data_are_refused(members):
    with pytest.raises(NotApplicable, match="row"):
        curvature(small(), (), Witness(Batch(members, ()), ((1.0, 0.0), (0.0, 1.0))))
