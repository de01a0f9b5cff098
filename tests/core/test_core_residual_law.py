"""The residual law against exact rational recursion and golden numbers; its premises."""

from dataclasses import replace
from fractions import Fraction as F
from itertools import chain

import numpy as np
import pytest
from flint import arb, arb_mat
from law_runs import GOLDEN, exact_residuals, holds, law, lines, tiny

from certaudit.core.balls import ball, precision
from certaudit.core.proof import Proof
from certaudit.core.recurrence import Carried
from certaudit.core.rule import NotApplicable
from certaudit.core.rules import residual_law
from certaudit.core.statement import Contraction
from certaudit.run import Clip, Phase, Reference, Request, Run, Start

CYCLIC = ((0, 1), (2, 3), (1, 4))


@pytest.fixture(autouse=True)
def bits():
    with precision(192):
        yield


SHAPES = [
    {},
    {"start": Start((F(1), F(-2)), F(1, 3))},
    {"normalizer": "current"},
    {"normalizer": "sum", "l2": F(1)},
    {"learn": Phase(7, F(1, 2), F(1, 16), CYCLIC), "start": Start((F(0), F(1)), F(1, 5))},
    {"learn": Phase(9, F(1, 2), F(1, 16), CYCLIC), "normalizer": "current"},
    {
        "requests": (
            Request((1,), Phase(5, F(1, 4), F(1, 9))),
            Request((0, 3), Phase(2, F(1, 2), F(1))),
        ),
        "start": Start((F(0), F(1)), F(2)),
    },
    {"learn": Phase(4, F(1, 2), F(0))},
    {"learn": Phase(6, F(6), F(1, 4))},
    {"l2": F(0), "learn": Phase(5, F(1, 2), F(1, 7))},
]


@pytest.mark.parametrize("world", ["P", "Q"])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_mean_and_variance_are_those_of_the_exact_recursion(shape, world):
    run = tiny(seed=shape, **SHAPES[shape])
    statement = law(run, world)[1].statement
    assert statement.world == world
    means, variances = exact_residuals(run, world)
    for found, exact in ((statement.means, means), (statement.variances, variances)):
        assert [len(row) for row in found] == [len(row) for row in exact]
        for ball_, number in zip(chain(*found), chain(*exact), strict=True):
            assert holds(ball_, number)
            assert ball_.rad() <= abs(ball(number)) * arb("1e-45") + arb("1e-50")


def test_a_point_start_has_variance_exactly_zero():
    statement = law(tiny())[1].statement
    assert statement.variances[0][0].is_zero()
    assert statement.variances[1][0] > 0


@pytest.mark.parametrize("row", GOLDEN["ridge_langevin"])
def test_golden_law(row):
    """World Q's law after learning and unlearning, met by a run whose row leaves a step later."""
    step, noise = F(row["step_size"]), F(row["unlearn_noise_std"]) ** 2
    X = np.array([[F(x) for x in line] for line in row["X"]], dtype=object)
    y = np.array([F(x) for x in row["y"]], dtype=object)
    gone, d = row["removed_index"], X.shape[1]
    run = Run(
        X=X,
        y=y,
        loss="ridge",
        l2=F(row["ridge"]),
        normalizer=row["normalizer"],
        learn=Phase(row["learn_steps"], step, F(row["learn_noise_std"]) ** 2),
        requests=(
            Request((), Phase(row["unlearn_steps"] + 1, step, noise)),
            Request((gone,), Phase(0, step, noise)),
        ),
        start=Start((F(0),) * d, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", row["learn_steps"]),
        release="final",
    )
    statement = law(run, "Q")[1].statement
    x = [ball(v) for v in X[gone]]
    mean, covariance = row["mean_reference"], row["covariance_reference"]
    expected = sum((a * arb(m) for a, m in zip(x, mean, strict=True)), arb(0)) - ball(y[gone])
    spread = sum((x[i] * arb(covariance[i][j]) * x[j] for i in range(d) for j in range(d)), arb(0))
    assert abs(statement.means[-1][0] - expected) < arb("1e-13")
    assert abs(statement.variances[-1][0] - spread) < arb("1e-13")


@pytest.mark.parametrize("scale", [1e-200, 1e150, 0.0])
def test_extreme_rows(scale):
    base = tiny()
    X = base.X.copy()
    X[1] = X[1] * scale
    run = replace(base, X=X)
    for world in "PQ":
        statement = law(run, world)[1].statement
        means, variances = exact_residuals(run, world)
        for found, exact in ((statement.means, means), (statement.variances, variances)):
            assert all(holds(b, e) for b, e in zip(chain(*found), chain(*exact), strict=True))
        if scale == 0:
            assert all(row[0].is_zero() for row in statement.variances)
        elif world == "Q":
            assert all(row[0] > 0 for row in statement.variances[1:])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"projection": F(2)}, "projection or clip"),
        ({"clip": Clip(F(1), False)}, "projection or clip"),
    ],
)
def test_an_affine_run_is_a_premise(changes, reason):
    with pytest.raises(NotApplicable, match=reason):
        law(tiny(**changes))


def test_other_losses_are_refused():
    with pytest.raises(NotApplicable, match="quadratic loss"):
        law(tiny("huber"), rule="residual-law")


def test_every_contraction_is_a_premise():
    proof = Proof(tiny(learn=Phase(4, F(1, 2), F(1, 16), CYCLIC)))
    known = lines(proof, "P")
    with pytest.raises(NotApplicable, match="contraction of a step is missing"):
        proof.apply("residual-law", known[1:], residual_law.Witness("P"))
    with pytest.raises(NotApplicable, match="contraction of a step is missing"):
        proof.apply("residual-law", known, residual_law.Witness("Q"))
    with pytest.raises(NotApplicable, match="needs a Contraction"):
        proof.apply("residual-law", proof.lines[:1], residual_law.Witness("P"))


def test_a_world_that_is_none_and_too_many_steps_are_refused():
    proof = Proof(tiny())
    with pytest.raises(NotApplicable, match="P or Q"):
        proof.apply("residual-law", lines(proof, "P"), residual_law.Witness("R"))
    proof = Proof(tiny(learn=Phase(10**9, F(1, 2), F(1))))
    with pytest.raises(NotApplicable, match="more than"):
        proof.apply("residual-law", lines(proof, "P"), residual_law.Witness("P"))


def test_errors_are_carried_by_the_contraction():
    """The error of a midpoint grows by c: with c too small the ball would lose the truth."""
    run = tiny(learn=Phase(300, F(9), F(1, 4)))
    with precision(64):
        statement = law(run)[1].statement
    means, _ = exact_residuals(tiny(learn=Phase(60, F(9), F(1, 4))), "P")
    assert all(holds(a[0], b[0]) for a, b in zip(statement.means, means, strict=False))
    proof = Proof(run)
    assert any(isinstance(l.statement, Contraction) and l.statement.c > 1 for l in lines(proof, "P"))


def test_an_error_of_the_covariance_grows_by_the_square_of_c():
    """Trap (f): a step of norm c > 1 multiplies it by c^2."""
    matrix = arb_mat([[-2]])
    step = residual_law._Step(matrix, arb_mat([[0]]), arb(2), arb(0))
    known = Carried(arb_mat([[0]]), arb(1))
    after = residual_law._spread(known, step, residual_law._repeated(matrix, 3), 3)
    assert after.middle[0, 0] == 0
    assert after.error >= 64
