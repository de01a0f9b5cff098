"""How large a per-example gradient can be, on the iterates a run can meet (section 3)."""

from __future__ import annotations

import sympy as sp
from flint import arb

from certaudit.kernel.balls import ball, certain_max, norm_squared
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.spectrum import label, labelled, row_norm
from certaudit.kernel.statement import Premise, Rule
from certaudit.run import Run

G, X, R, M = sp.symbols("G X R M", positive=True)
y = sp.Symbol("y", real=True)
kink = sp.Symbol("k", positive=True)

LIPSCHITZ = equation(M, G * X)
LOGISTIC_SLOPE = 1 / (1 + sp.exp(-R * X))
RIDGE_SLOPE = R * X + sp.Abs(y)
HUBER_SLOPE = sp.Min(kink, R * X + sp.Abs(y))
SOFTMAX_SLOPE = sp.sqrt(2)


def gradient_bound(rule: Rule, run: Run, j: int, premises: list[Premise], *, confined: bool) -> arb:
    """M >= |gradient of the loss at row j| on every iterate: slope times |x_j|, or the clip.

    Slopes: logistic 1, huber its threshold, softmax sqrt 2 (the norm of p - e_y); a network none (only
    its clip bounds its gradient); ridge none, but on iterates confined to radius R at most
    R |x_j| + |y_j|, and the others less.  ``confined`` says that the iterates are known to lie in the
    ball; otherwise the start is checked.
    Premises used are added to ``premises``; raises PremiseFailed where no slope is bounded, and for a
    label the loss is not defined for.
    """
    labelled(rule, run, (j,))
    norm = row_norm(run, j)
    bounds: list[arb] = []
    if run.clip is not None:
        bounds.append(ball(run.clip.norm))
        if run.clip.regularizer:
            return bounds[0]
    slope: arb | None = None
    values = {X: norm, y: arb(0) if run.loss == "softmax" else label(run, j)}
    if run.threshold is not None:
        values[kink] = ball(run.threshold)
    confinement = _confinement(rule, run, confined)
    if run.loss == "softmax":
        slope = evaluate(SOFTMAX_SLOPE, values)
    elif run.projection is not None and confinement is not None and run.loss != "network":
        if confinement.name not in {known.name for known in premises}:
            premises.append(confinement)
        values[R] = ball(run.projection)
        formula = {"logistic": LOGISTIC_SLOPE, "ridge": RIDGE_SLOPE, "huber": HUBER_SLOPE}[run.loss]
        slope = evaluate(formula, values)
    elif run.loss == "logistic":
        slope = arb(1)
    elif run.loss == "huber":
        slope = values[kink]
    if slope is not None:
        bounds.append(evaluate(LIPSCHITZ, {G: slope, X: norm}))
    if not bounds:
        text = "the squared loss has no bounded slope without a projection or a clip"
        if run.loss == "network":
            text = "the gradient of a network has no bound without a clip"
        rule.require(False, True, Premise("projection", text))
    return -certain_max(-bound for bound in bounds)


def _confinement(rule: Rule, run: Run, confined: bool) -> Premise | None:
    """Why every iterate met lies in the ball; None if it may not.  Where the loss has no slope of its
    own (ridge without clip), a start outside the ball is a failed premise."""
    if run.projection is None:
        return None
    if confined:
        return Premise("projection", "every iterate met was projected onto the ball")
    norm_squared_ = norm_squared(ball(x) for x in run.start.mean)
    radius, point = ball(run.projection), run.start.variance == 0
    premise = Premise(
        "start",
        "the run starts at a point inside the ball it is projected onto",
        {
            "start_norm": norm_squared_.sqrt(),
            "radius": radius,
            "start_variance": ball(run.start.variance),
        },
    )
    inside = point and bool(norm_squared_ <= radius * radius)
    if inside or run.loss != "ridge" or run.clip is not None:
        return premise if inside else None
    return rule.require(False, not point or bool(norm_squared_ > radius * radius), premise)
