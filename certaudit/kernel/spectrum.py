"""Premises a run must earn: curvature of the objective and contraction of one step.

Source for both rules: section 2 of the theory; standard smooth strongly convex analysis.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel.balls import ball, cholesky, column, matrix, norm_squared, upper
from certaudit.kernel.expr import evaluate
from certaudit.kernel.statement import Premise, Rule, Statement, Undecided, expect
from certaudit.run import Phase, Run

World = Literal["D", "D'"]

CURVATURE = Rule(
    "curvature",
    "Strong convexity and smoothness of the objective",
    "section 2; Weyl's inequality, positive definiteness by Cholesky factorization in balls",
)
CONTRACTION = Rule(
    "contraction",
    "Lipschitz constant of one gradient step",
    "section 2; Bubeck 2015, Convex Optimization, Theorem 3.12",
)

LOSS_CURVATURE = {"ridge": Fraction(1), "logistic": Fraction(1, 4)}

beta, lam, eta, count = sp.symbols("beta lambda eta N", positive=True)
least, largest, trace, size = sp.symbols("kappa_min kappa_max tau n_w", nonnegative=True)
m, L, c = sp.symbols("m L c", nonnegative=True)

STRONG = sp.Eq(m, lam + least / count)
SMOOTH = sp.Eq(L, beta * largest / count + lam)
CLIPPED_SMOOTH = sp.Eq(L, (beta * trace + size * lam) / count)
STEP = sp.Eq(c, sp.Max(sp.Abs(1 - eta * m), sp.Abs(1 - eta * L)))
CLIPPED_STEP = sp.Eq(c, 1 + eta * L)


def rows(run: Run, world: World) -> list[int]:
    """Row indices the world's gradient sums over."""
    return list(range(run.n)) if world == "D" else list(run.kept)


def normalizer(run: Run, world: World) -> int:
    """N of the objective in that world."""
    return {"fixed": run.n, "current": len(rows(run, world)), "sum": 1}[run.normalizer]


def design(run: Run, world: World) -> arb_mat:
    """X of that world, (n_w, d)."""
    return matrix([run.X[j].tolist() for j in rows(run, world)])


def targets(run: Run, world: World) -> arb_mat:
    """y of that world, (n_w, 1)."""
    return column([run.y[j : j + 1].tolist()[0] for j in rows(run, world)])


def row_norm(run: Run, j: int) -> arb:
    """Euclidean norm of row j."""
    return norm_squared(ball(x) for x in run.X[j].tolist()).sqrt()


def curvature(
    run: Run,
    world: World,
    low: Fraction,
    high: Fraction,
    low_vector: list[float],
    high_vector: list[float],
) -> Statement:
    """m-strong convexity and L-smoothness of the objective of ``world``.

    Statement: m <= every curvature <= L, with m = lambda + kappa_min/N, L = beta kappa_max/N + lambda
    and kappa the eigenvalues of X^T X.  ``low``/``high`` guess kappa_min from below and kappa_max
    from above, the vectors guess eigenvectors.
    Premises checked: X^T X - low I and high I - X^T X are positive definite (Cholesky in balls);
    the Rayleigh quotients of the vectors bound kappa from the other side.
    A clip keeps the loss part convex but takes its strong convexity (m = lambda); a clip around the
    regularizer takes that too (m = 0, and L bounds the sum of the per-example constants).
    Raises Undecided for poor guesses.
    """
    x = design(run, world)
    gram = x.transpose() * x
    d = run.d
    guess = max(low, Fraction(0))
    eye = [[Fraction(int(i == j)) for j in range(d)] for i in range(d)]
    below = gram - matrix([[guess * e for e in row] for row in eye])
    above = matrix([[high * e for e in row] for row in eye]) - gram
    if cholesky(above) is None or (guess > 0 and cholesky(below) is None):
        raise Undecided("curvature: the guessed eigenvalue bounds could not be verified")
    kappa_min = _between(guess, _rayleigh(gram, low_vector))
    kappa_max = _between(high, _rayleigh(gram, high_vector))
    n_w, big_n = len(rows(run, world)), normalizer(run, world)
    values = {
        least: kappa_min,
        largest: kappa_max,
        lam: ball(run.l2),
        count: arb(big_n),
        beta: ball(LOSS_CURVATURE[run.loss]),
        trace: sum((gram[i, i] for i in range(d)), arb(0)),
        size: arb(n_w),
    }
    if run.loss != "ridge" or run.clip is not None:
        values[least] = arb(0)
    if run.clip is not None and run.clip.regularizer:
        strong, smooth = sp.Eq(m, sp.Integer(0)), CLIPPED_SMOOTH
    else:
        strong, smooth = STRONG, SMOOTH
    return CURVATURE.conclude(
        "curvature",
        formulas=(strong, smooth),
        values={
            "m": evaluate(strong, values),
            "L": evaluate(smooth, values),
            "kappa_min": kappa_min,
            "kappa_max": kappa_max,
        },
        exact={"world": world, "N": big_n, "l2": run.l2, "beta": LOSS_CURVATURE[run.loss]},
        premises=(
            Premise(
                "spectrum",
                f"kappa_min I <= X^T X <= kappa_max I on {world}",
                {"kappa_min": kappa_min, "kappa_max": kappa_max},
            ),
        ),
        subject=run,
    )


def contraction(curved: Statement, phase: Phase) -> Statement:
    """One gradient step of ``phase`` is c-Lipschitz, c = max(|1 - eta m|, |1 - eta L|).

    With the regularizer inside the clip the step is only (1 + eta L)-Lipschitz.
    c < 1 is not needed for the statement; see :func:`require_contraction`.
    """
    expect(curved, "curvature")
    run: Run = curved.subject  # type: ignore[assignment]
    step = CLIPPED_STEP if run.clip is not None and run.clip.regularizer else STEP
    values = {eta: ball(phase.step_size), m: curved.ball("m"), L: curved.ball("L")}
    return CONTRACTION.conclude(
        "contraction",
        formulas=(step,),
        values={"c": evaluate(step, values), "m": curved.ball("m"), "L": curved.ball("L")},
        exact={"world": curved.exact["world"], "step_size": phase.step_size},
        uses=(curved,),
        subject=run,
    )


def require_contraction(lipschitz: Statement) -> Premise:
    """The premise "the step contracts" (eta < 2/L, m > 0, no regularizer inside the clip).

    Raises PremiseFailed with eta, m, L and c if it certainly does not hold.
    """
    expect(lipschitz, "contraction")
    run: Run = lipschitz.subject  # type: ignore[assignment]
    numbers = {"step_size": ball(lipschitz.exact["step_size"]), **lipschitz.values}
    if run.clip is not None and run.clip.regularizer:
        return CONTRACTION.require(
            False,
            True,
            Premise("clip", "the regularizer must stay outside the clip", numbers),
        )
    text = f"the step on {lipschitz.exact['world']} must contract: eta < 2/L and m > 0"
    c_value = lipschitz.ball("c")
    return CONTRACTION.require(
        bool(c_value < 1), bool(c_value >= 1), Premise("step size", text, numbers)
    )


def _rayleigh(gram: arb_mat, vector: list[float]) -> arb:
    v = column(vector)
    return (v.transpose() * gram * v)[0, 0] / (v.transpose() * v)[0, 0]


def _between(bound: Fraction, quotient: arb) -> arb:
    end = ball(bound)
    middle = ball(upper((end + quotient) / 2))
    radius = ball(upper(abs(middle - end).max(abs(middle - quotient))))
    return middle + radius * arb(0, 1)
