"""The exact tier (section 7): the Gaussian laws of an affine run."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from certaudit.kernel.affine import (
    LINEAR,
    NOISE,
    S1,
    SHIFT,
    STEP_DRIFT,
    STEP_MATRIX,
    Phases,
    compose,
    dimension,
    require_affine,
    start,
)
from certaudit.kernel.balls import Exact, ball, column, matrix
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.statement import Premise, Rule, Statement
from certaudit.run import WORLDS, Run

sigma_out = sp.Symbol("sigma_out^2", nonnegative=True)
RELEASED = equation(sp.MatrixSymbol("S", dimension, dimension), S1 + sigma_out * sp.Identity(dimension))

LAW = Rule("E1", "Exact Gaussian laws of an affine run", "section 7")
GIVEN = Rule("given", "Two Gaussian laws stated by the caller", "definition")


def affine_law(run: Run) -> Statement:
    """E1: the laws P and Q of an affine run, each N(m, S), exactly.

    m <- A m + b and S <- A S A^T + sigma^2 I with A = I - eta H, composed over each phase of each
    world by repeated squaring (a cycle of batches is one map); output noise adds to S.
    Premises: ridge, no projection, no clip, point or Gaussian start, fixed batches.
    """
    require_affine(LAW, run)
    values, phases = {}, Phases(run)
    for world in WORLDS:
        law = start(run)
        for segment in run.program(world):
            law = compose(phases(segment), law)
        values[f"mean_{world}"] = law.shift
        noise = {S1: law.noise, sigma_out: ball(run.output_noise(world)), dimension: run.d}
        values[f"covariance_{world}"] = evaluate(RELEASED, noise)
    return LAW.conclude(
        "law",
        formulas=(STEP_MATRIX, STEP_DRIFT, LINEAR, SHIFT, NOISE, RELEASED),
        values=values,
        exact={"observer": "final"},
        premises=(Premise("affine", "ridge loss, fixed batches, no projection, no clip"),),
        subject=run,
    )


def given_law(
    mean_p: Sequence[Exact],
    cov_p: Sequence[Sequence[Exact]],
    mean_q: Sequence[Exact],
    cov_q: Sequence[Sequence[Exact]],
) -> Statement:
    """Two Gaussians given outright; what is proved is about these laws, not about a run."""
    return GIVEN.conclude(
        "law",
        formulas=(),
        values={
            "mean_P": column(mean_p),
            "covariance_P": matrix(cov_p),
            "mean_Q": column(mean_q),
            "covariance_Q": matrix(cov_q),
        },
        exact={"observer": "final"},
        premises=(Premise("laws", "P and Q are the Gaussians given", basis="assumed"),),
        subject=object(),
    )
