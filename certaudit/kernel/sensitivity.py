"""How far one step moves when the forgotten points are removed, whatever the iterate (section 3).

Every rule yields s_t >= |phi_t(w) - phi'_t(w)| for the steps worlds P and Q share, phi the map of P
and phi' of Q; steps with one map in both worlds have s_t = 0.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from flint import arb

from certaudit.kernel import schedule
from certaudit.kernel.balls import ball, certain_max
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.schedule import Pair
from certaudit.kernel.slope import LIPSCHITZ, M, gradient_bound
from certaudit.kernel.spectrum import labelled
from certaudit.kernel.statement import Premise, PremiseFailed, Rule, Statement, expect
from certaudit.run import Run

S1 = Rule("S1", "Worst-case sensitivity of one step", "section 3; CHI24a, NEE21")
S2 = Rule("S2", "Per-instance sensitivity of one step", "section 3; BAC26")
DRIFT = Rule(
    "S1-drift",
    "Bounded gradients in both worlds, contraction by the regularizer alone",
    "section 4, clipped non-convex training; KOL25",
)

eta, count = sp.symbols("eta N", positive=True)
s, forgotten, others = sp.symbols("s S_F S_rest", nonnegative=True)
k, kept = sp.symbols("k n_kept", positive=True)
mean_p, mean_q, lam, c = sp.symbols("g_P g_Q lambda c", nonnegative=True)

WORST = equation(s, eta * k * M / count)
WORST_CURRENT = equation(s, 2 * eta * k * M / count)
INSTANCE = equation(s, eta * forgotten / count)
INSTANCE_CURRENT = equation(s, eta * (forgotten + k / kept * others) / count)
TWO_GRADIENTS = equation(s, eta * (mean_p + mean_q))
SHRINKAGE = equation(c, sp.Abs(1 - eta * lam))


def worst_case(run: Run, last: int | None = None) -> Statement:
    """S1: s = eta M |F| / N on deletion (twice that for the normalizer ``current``), F the removed
    rows of the step's batch.

    M bounds every per-example gradient of the data.  Premises: labels that are the loss's own; a
    bounded slope (logistic, huber, softmax), a clip, or a projection and a start inside its ball
    (ridge).  Raises PremiseFailed otherwise.  ``last``: the last steps only, whose iterates a projection
    has confined.
    """
    premises = [*labelled(S1, run, range(run.n))]
    confined = last is not None
    largest = certain_max(gradient_bound(S1, run, j, premises, confined=confined) for j in range(run.n))
    formula = WORST_CURRENT if run.normalizer == "current" else WORST

    def shift(pair: Pair) -> arb:
        bound: arb = evaluate(
            formula,
            {
                eta: ball(pair.step_size),
                k: arb(len(pair.removed(run))),
                M: largest,
                count: arb(run.count(pair.first)),
            },
        )
        return bound

    return _everywhere(S1, run, (LIPSCHITZ, formula), shift, {"M": largest}, premises, last)


def per_instance(run: Run, last: int | None = None) -> Statement:
    """S2: s = (eta/N) sum over F of G |x_i|, with G the largest slope the iterate can meet.

    With a projection onto radius R the slope is taken over |u| <= R |x_i| only.  For the normalizer
    ``current`` the other points' weights change too: (eta/N)(sum_F G|x_i| + k/n_kept sum_rest G|x_j|),
    N = k + n_kept.  Premises and ``last`` as for S1, on the points that matter.
    """
    premises = [*labelled(S2, run, range(run.n))]
    known: dict[int, arb] = {}

    def total(rows: tuple[int, ...]) -> arb:
        for j in rows:
            if j not in known:
                known[j] = gradient_bound(S2, run, j, premises, confined=last is not None)
        return sum((known[j] for j in rows), arb(0))

    formula = INSTANCE_CURRENT if run.normalizer == "current" else INSTANCE

    def shift(pair: Pair) -> arb:
        gone, left = pair.removed(run), run.rows(pair.second)
        values = {
            eta: ball(pair.step_size),
            forgotten: total(gone),
            count: arb(run.count(pair.first)),
        }
        if run.normalizer == "current":
            values |= {k: arb(len(gone)), others: total(left), kept: arb(max(len(left), 1))}
        bound: arb = evaluate(formula, values)
        return bound

    return _everywhere(S2, run, (LIPSCHITZ, formula), shift, {}, premises, last)


def bounded_drift(run: Run, last: int | None = None) -> Statement:
    """S1-drift: |phi(u) - phi'(v)| <= |1 - eta lambda| |u - v| + eta (g_P + g_Q), with g the sum of the
    gradient bounds of a world's batch over its N.

    Needs no convexity and no small step; with the regularizer inside the clip the factor is 1.  The
    shift is charged at every step, those after the deletion included.  Premises as for S1.
    """
    premises = [*labelled(DRIFT, run, range(run.n))]
    known: dict[int, arb] = {}

    def mean(rows: tuple[int, ...], divisor: int) -> arb:
        for j in rows:
            if j not in known:
                known[j] = gradient_bound(DRIFT, run, j, premises, confined=last is not None)
        return sum((known[j] for j in rows), arb(0)) / divisor

    def shift(pair: Pair) -> arb:
        p, q = pair.first, pair.second
        bound: arb = evaluate(
            TWO_GRADIENTS,
            {
                eta: ball(pair.step_size),
                mean_p: mean(run.rows(p), run.count(p)),
                mean_q: mean(run.rows(q), run.count(q)),
            },
        )
        return bound

    pairs = schedule.whole(DRIFT, run) if last is None else schedule.last(DRIFT, run, last)
    inside = run.clip is not None and run.clip.regularizer
    factors = tuple(
        arb(1) if inside else evaluate(SHRINKAGE, {eta: ball(pair.step_size), lam: ball(run.l2)})
        for pair in pairs
    )
    shifts: dict[Pair, arb] = {}
    for pair in pairs:
        shifts.setdefault(pair, shift(pair))
    return DRIFT.conclude(
        "sensitivity",
        formulas=(LIPSCHITZ, TWO_GRADIENTS, SHRINKAGE),
        values={"s": tuple(shifts[pair] for pair in pairs), "delta": arb(0), "c": factors},
        exact={"world": "any", "repeats": tuple(pair.count for pair in pairs), "last": last},
        premises=_with_restart(DRIFT, run, last, premises),
        subject=run,
    )


def shift_at(sensitivity: Statement, step: int) -> arb | None:
    """The bound for step ``step``, counted from 1; None if the statement does not reach it."""
    expect(sensitivity, "sensitivity")
    if step < 1 or sensitivity.exact["last"] is not None or "c" in sensitivity.values:
        return None
    for size, repeat in zip(sensitivity.values["s"], sensitivity.exact["repeats"], strict=True):
        if step <= repeat:
            shift: arb = size
            return shift
        step -= repeat
    return None


def _everywhere(
    rule: Rule,
    run: Run,
    formulas: tuple[sp.Basic, ...],
    shift: Callable[[Pair], arb],
    values: dict[str, arb],
    premises: list[Premise],
    last: int | None,
) -> Statement:
    pairs = schedule.from_start(rule, run) if last is None else schedule.last(rule, run, last)
    known: dict[Pair, arb] = {}
    for pair in pairs:
        if pair not in known:
            known[pair] = arb(0) if pair.first == pair.second else shift(pair)
    return rule.conclude(
        "sensitivity",
        formulas=formulas,
        values={"s": tuple(known[pair] for pair in pairs), "delta": arb(0), **values},
        exact={"world": "any", "repeats": tuple(pair.count for pair in pairs), "last": last},
        premises=_with_restart(rule, run, last, premises),
        subject=run,
    )


def _with_restart(
    rule: Rule, run: Run, last: int | None, premises: list[Premise]
) -> tuple[Premise, ...]:
    if last is None:
        return tuple(premises)
    earlier = [
        schedule.total(schedule.steps(rule, run, "P")) - last,
        schedule.total(schedule.steps(rule, run, "Q")) - last,
    ]
    premise = Premise("restart", f"both worlds are projected onto one ball before the last {last} steps")
    if run.projection is None or min(earlier) < 1:
        raise PremiseFailed(rule, premise)
    return (*premises, premise)
