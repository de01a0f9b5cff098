"""The exact tier (section 7): the Gaussian laws of an affine run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from flint import arb_mat

from certaudit.kernel.balls import Exact, ball, column, identity, matrix
from certaudit.kernel.expr import evaluate
from certaudit.kernel.sensitivity import STEP_DRIFT, STEP_MATRIX, affine_step, dimension
from certaudit.kernel.spectrum import World
from certaudit.kernel.statement import NotApplicable, Premise, Rule, Statement
from certaudit.run import Phase, Run

LAW = Rule("E1", "Exact Gaussian laws of an affine run", "section 7")
GIVEN = Rule("given", "Two Gaussian laws stated by the caller", "definition")
A1, A2, S1, S2 = (sp.MatrixSymbol(name, dimension, dimension) for name in ("A_1", "A_2", "S_1", "S_2"))
M1, M2 = (sp.MatrixSymbol(name, dimension, 1) for name in ("m_1", "m_2"))
LINEAR = sp.Eq(sp.MatrixSymbol("A_12", dimension, dimension), A2 * A1)
SHIFT = sp.Eq(sp.MatrixSymbol("m_12", dimension, 1), A2 * M1 + M2)
NOISE = sp.Eq(sp.MatrixSymbol("S_12", dimension, dimension), A2 * S1 * A2.T + S2)


@dataclass(frozen=True)
class AffineMap:
    """Law map w -> A w + N(m, S); one step has m = b and S = sigma^2 I."""

    linear: arb_mat
    shift: arb_mat
    noise: arb_mat


def affine_law(run: Run) -> Statement:
    """E1: the laws P and Q of an affine run, each N(m, S), exactly.

    m <- A m + eta b and S <- A S A^T + sigma^2 I with A = I - eta H, composed over a phase by repeated
    squaring.  Premises: ridge, no projection, no clip, point or Gaussian start, full batches.
    """
    if run.loss != "ridge" or run.projection is not None or run.clip is not None:
        raise NotApplicable(
            LAW, "the run is not affine: it needs the ridge loss without projection or clip"
        )
    start = AffineMap(
        identity(run.d), column(run.start.mean), _scaled_identity(run.d, run.start.variance)
    )
    deleted = _phase(run, "D'", run.unlearn)
    p_law = _compose(deleted, _compose(_phase(run, "D", run.learn), start))
    if run.reference.kind == "unlearn-retrained":
        q_law = _compose(deleted, _compose(_phase(run, "D'", run.learn), start))
    else:
        schedule = Phase(run.reference.steps, run.learn.step_size, run.learn.noise_variance)
        q_law = _compose(_phase(run, "D'", schedule), start)
    return LAW.conclude(
        "law",
        formulas=(STEP_MATRIX, STEP_DRIFT, LINEAR, SHIFT, NOISE),
        values={
            "mean_P": p_law.shift,
            "covariance_P": p_law.noise,
            "mean_Q": q_law.shift,
            "covariance_Q": q_law.noise,
        },
        exact={"observer": "final"},
        premises=(Premise("affine", "ridge loss, full batches, no projection, no clip"),),
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


def _phase(run: Run, world: World, phase: Phase) -> AffineMap:
    a_map, drift = affine_step(run, world, phase.step_size)
    power = AffineMap(a_map, drift, _scaled_identity(run.d, phase.noise_variance))
    total: AffineMap | None = None
    steps = phase.steps
    while steps:
        if steps & 1:
            total = power if total is None else _compose(power, total)
        steps >>= 1
        if steps:
            power = _compose(power, power)
    if total is None:
        zero = _scaled_identity(run.d, Fraction(0))
        return AffineMap(identity(run.d), column([0] * run.d), zero)
    return total


def _compose(later: AffineMap, earlier: AffineMap) -> AffineMap:
    values = {
        A1: earlier.linear,
        A2: later.linear,
        M1: earlier.shift,
        M2: later.shift,
        S1: earlier.noise,
        S2: later.noise,
    }
    return AffineMap(evaluate(LINEAR, values), evaluate(SHIFT, values), evaluate(NOISE, values))


def _scaled_identity(size: int, scale: Fraction) -> arb_mat:
    return identity(size) * ball(scale)
