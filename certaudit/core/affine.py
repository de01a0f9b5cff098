"""One step of a quadratic loss as an affine map w <- A w + b, in balls."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, arb_mat

from certaudit.core.balls import ball, identity
from certaudit.core.data import design, targets
from certaudit.core.rule import NotApplicable, Premise
from certaudit.core.term import Formula, symbols, transpose
from certaudit.losses import LOSSES
from certaudit.run import Batch, Run

A, b, X, y, one, eta, count, lam = symbols("A b X y I eta N lambda")

STEP_MATRIX = Formula(A, one - eta * (transpose(X) * X / count + lam * one))
STEP_DRIFT = Formula(b, eta / count * (transpose(X) * y))


def is_affine(run: Run) -> bool:
    """Whether every step is affine: a quadratic loss, no projection, no clip."""
    return LOSSES[run.loss].quadratic and run.projection is None and run.clip is None


def require_affine(rule: str, run: Run) -> Premise:
    """The premise that every step is affine: a quadratic loss, no projection, no clip.

    Raises NotApplicable otherwise.
    """
    if not LOSSES[run.loss].quadratic:
        raise NotApplicable(rule, f"needs a quadratic loss (ridge); the run has {run.loss}")
    if run.projection is not None or run.clip is not None:
        raise NotApplicable(rule, "needs a run without projection or clip")
    return Premise("affine", "every step is affine: a quadratic loss, no projection, no clip")


def affine_step(run: Run, batch: Batch, step_size: Fraction) -> tuple[arb_mat, arb_mat]:
    """(A, b) of the gradient step w <- A w + b: A = I - eta (X^T X/N + lambda I), b = eta X^T y/N."""
    values = {
        X: design(run, batch),
        y: targets(run, batch),
        one: identity(run.d),
        eta: ball(step_size),
        count: arb(run.count(batch)),
        lam: ball(run.l2),
    }
    return STEP_MATRIX.at(values), STEP_DRIFT.at(values)
