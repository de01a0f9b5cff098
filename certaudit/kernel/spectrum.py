"""Premises a run must earn: curvature of the objective and contraction of one step.

Source for both rules: section 2 of the theory; standard smooth strongly convex analysis.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp
from flint import arb, arb_mat

from certaudit.kernel.balls import ball, cholesky, column, matrix, norm_squared, precision, upper
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.statement import (
    NotApplicable,
    Premise,
    PremiseFailed,
    Rule,
    Statement,
    Undecided,
    expect,
)
from certaudit.run import Batch, Run

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

LOSS_CURVATURE = {
    "ridge": Fraction(1),
    "logistic": Fraction(1, 4),
    "huber": Fraction(1),
    "softmax": Fraction(1, 2),
}

beta, lam, eta, count = sp.symbols("beta lambda eta N", positive=True)
least, largest, trace, size = sp.symbols("kappa_min kappa_max tau n_w", nonnegative=True)
m, L, c = sp.symbols("m L c", nonnegative=True)

STRONG = equation(m, lam + least / count)
SMOOTH = equation(L, beta * largest / count + lam)
CLIPPED_SMOOTH = equation(L, beta * trace / count + lam)
WHOLLY_CLIPPED_SMOOTH = equation(L, (beta * trace + size * lam) / count)
STEP = equation(c, sp.Max(sp.Abs(1 - eta * m), sp.Abs(1 - eta * L)))
CLIPPED_STEP = equation(c, sp.Abs(1 - eta * lam) + eta * (L - lam))
WHOLLY_CLIPPED_STEP = equation(c, 1 + eta * L)


def design(run: Run, batch: Batch) -> arb_mat:
    """X of the batch, (rows, d)."""
    rows = run.rows(batch)
    return matrix([run.X[j].tolist() for j in rows]) if rows else arb_mat(0, run.d)


def targets(run: Run, batch: Batch) -> arb_mat:
    """y of the batch, (rows, 1)."""
    rows = run.rows(batch)
    return column([run.y[j : j + 1].tolist()[0] for j in rows]) if rows else arb_mat(0, 1)


def row_norm(run: Run, j: int) -> arb:
    """Euclidean norm of row j."""
    return norm_squared(ball(x) for x in run.X[j].tolist()).sqrt()


def label(run: Run, j: int) -> arb:
    """y_j."""
    return ball(run.y[j : j + 1].tolist()[0])


def labelled(rule: Rule, run: Run, rows: Sequence[int]) -> tuple[Premise, ...]:
    """The premise that the rows' labels are those the loss is defined for: -1 and +1 (logistic), 0 to
    classes - 1 (softmax).  Slope and curvature are bounded for these alone; other losses take any."""
    if run.loss == "logistic":
        allowed, text = {-1, 1}, "logistic labels are -1 and +1"
    elif run.loss in ("softmax", "network"):
        allowed, text = set(range(run.classes)), "softmax labels are the numbers of the classes, from 0"
    else:
        return ()
    for value in run.y[list(rows)].tolist():
        if value not in allowed:
            raise PremiseFailed(rule, Premise("labels", text, {"label": ball(value)}))
    return (Premise("labels", text),)


def keeps_convexity(run: Run) -> bool:
    """Whether the clip, if any, leaves the loss convex: it is on the loss part of a margin loss."""
    return run.clip is None or not (run.clip.regularizer or run.loss == "softmax")


def clips_regularizer(run: Run) -> bool:
    """Whether the regularizer is inside a clip."""
    return run.clip is not None and run.clip.regularizer


def curvature(
    run: Run,
    batch: Batch,
    low: Fraction,
    high: Fraction,
    low_vector: list[float],
    high_vector: list[float],
) -> Statement:
    """m-strong convexity and L-smoothness of the objective on ``batch``.

    Statement: m <= every curvature <= L, with m = lambda + kappa_min/N, L = beta kappa_max/N + lambda
    and kappa the eigenvalues of X^T X.  ``low``/``high`` guess kappa_min from below and kappa_max
    from above, the vectors guess eigenvectors.
    Premises checked: the labels of the batch are the loss's own; X^T X - low I and high I - X^T X are
    positive definite (Cholesky in balls); the Rayleigh quotients of the vectors bound kappa from the
    other side.
    A clip of the loss part keeps a loss of a margin convex but takes its strong convexity
    (m = lambda).  Any other clip takes that too: m = 0, and L sums the constants of the rows in the
    batch, as a clip is a projection: beta |x_j|^2/N each and lambda once with the regularizer outside
    the clip, (beta |x_j|^2 + lambda)/N each with it inside.
    Raises Undecided for poor guesses, NotApplicable for a loss of unknown curvature.
    """
    if run.loss not in LOSS_CURVATURE:
        raise NotApplicable(CURVATURE, f"the loss of a {run.loss} has no known curvature")
    labels = labelled(CURVATURE, run, run.rows(batch))
    x = design(run, batch)
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
    values = {
        least: kappa_min,
        largest: kappa_max,
        lam: ball(run.l2),
        count: arb(run.count(batch)),
        beta: ball(LOSS_CURVATURE[run.loss]),
        trace: sum((gram[i, i] for i in range(d)), arb(0)),
        size: arb(x.nrows()),
    }
    if run.loss != "ridge" or run.clip is not None:
        values[least] = arb(0)
    if keeps_convexity(run):
        strong, smooth = STRONG, SMOOTH
    else:
        strong = equation(m, sp.Integer(0))
        smooth = WHOLLY_CLIPPED_SMOOTH if clips_regularizer(run) else CLIPPED_SMOOTH
    return CURVATURE.conclude(
        "curvature",
        formulas=(strong, smooth),
        values={
            "m": evaluate(strong, values),
            "L": evaluate(smooth, values),
            "kappa_min": kappa_min,
            "kappa_max": kappa_max,
        },
        exact={
            "batch": batch,
            "N": run.count(batch),
            "l2": run.l2,
            "beta": LOSS_CURVATURE[run.loss],
        },
        premises=(
            *labels,
            Premise(
                "spectrum",
                "kappa_min I <= X^T X <= kappa_max I on the rows of the batch",
                {"kappa_min": kappa_min, "kappa_max": kappa_max},
            ),
        ),
        subject=run,
    )


def contraction(curved: Statement, step_size: Fraction) -> Statement:
    """One gradient step is c-Lipschitz, c = max(|1 - eta m|, |1 - eta L|).

    With a clip that does not keep convexity c = |1 - eta lambda| + eta (L - lambda), the regularizer
    outside, or 1 + eta L, the regularizer inside.
    c < 1 is not needed for the statement; see :func:`require_contraction`.  ``bound`` is c rounded up
    to an exact number, which later rules use.
    """
    expect(curved, "curvature")
    run: Run = curved.subject  # type: ignore[assignment]
    step = STEP
    if not keeps_convexity(run):
        step = WHOLLY_CLIPPED_STEP if clips_regularizer(run) else CLIPPED_STEP
    values = {eta: ball(step_size), m: curved.ball("m"), L: curved.ball("L"), lam: ball(run.l2)}
    rate = evaluate(step, values)
    return CONTRACTION.conclude(
        "contraction",
        formulas=(step,),
        values={"c": rate, "m": curved.ball("m"), "L": curved.ball("L")},
        exact={
            "batch": curved.exact["batch"],
            "step_size": step_size,
            "bound": _rounded_up(rate),
        },
        uses=(curved,),
        subject=run,
    )


def require_contraction(lipschitz: Statement) -> Premise:
    """The premise "the step contracts" (eta < 2/L, m > 0, a clip that keeps convexity).

    Raises PremiseFailed with eta, m, L and c if it certainly does not hold.
    """
    expect(lipschitz, "contraction")
    run: Run = lipschitz.subject  # type: ignore[assignment]
    numbers = {"step_size": ball(lipschitz.exact["step_size"]), **lipschitz.values}
    if not keeps_convexity(run):
        text = (
            "the regularizer must stay outside the clip"
            if clips_regularizer(run)
            else "a clip keeps convexity for losses of a margin only, which softmax is not"
        )
        return CONTRACTION.require(False, True, Premise("clip", text, numbers))
    c_value = lipschitz.ball("c")
    return CONTRACTION.require(
        bool(c_value < 1),
        bool(c_value >= 1),
        Premise("step size", "the step must contract: eta < 2/L and m > 0", numbers),
    )


def _rounded_up(rate: arb) -> Fraction:
    """A short number at or above ``rate``, at most 1 if ``rate`` is."""
    with precision(64):
        above = upper(rate * (1 + arb(2) ** -60))
    return Fraction(1) if rate <= 1 < above else above


def _rayleigh(gram: arb_mat, vector: list[float]) -> arb:
    v = column(vector)
    return (v.transpose() * gram * v)[0, 0] / (v.transpose() * v)[0, 0]


def _between(bound: Fraction, quotient: arb) -> arb:
    end = ball(bound)
    middle = ball(upper((end + quotient) / 2))
    radius = ball(upper(abs(middle - end).max(abs(middle - quotient))))
    return middle + radius * arb(0, 1)
