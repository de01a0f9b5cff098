"""One step: how curved the objective is, how much a step contracts, how far the removed rows move it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from .affine import gram
from .document import binary64, record, square
from .interval import HALF, ONE, ZERO, Interval, dyadic, greater, real, total
from .matrix import deviation, matrix
from .refusal import Refused, need
from .run import Batch, positive, read_batch
from .statement import Contraction, Curvature, Drift, Sensitivity, Statement
from .steps import Context, Match, confined, each, first_of, gradient_bound, matched, read_last

SMOOTHNESS = {"ridge": ONE, "logistic": HALF * HALF, "huber": ONE, "softmax": HALF}


def curvature(context: Context, found: list[Statement], witness: Any) -> Statement:
    """lambda + kappa/N within the eigenvalues kappa of X^T X, by Gershgorin on V^T X^T X V (section 14).

    Only the squared loss is curved everywhere.  A clip leaves the loss of one margin convex (its slope
    is cut off); any other clip leaves a Lipschitz bound alone.
    """
    batch, vectors = record(witness, "batch", "vectors")
    need(not found, "uses no lines")
    run = context.run
    chosen = context.same(read_batch(batch, run))
    least, largest = _eigenvalues(context, chosen, vectors)
    l2, divisor, rows = real(run.l2), real(run.divisor(chosen)), run.rows(chosen)
    if run.loss not in SMOOTHNESS:
        raise Refused("nothing is known of the curvature of a network")
    beta = SMOOTHNESS[run.loss]
    if run.clip is None or (not run.clip.inside and run.loss != "softmax"):
        curved = run.loss == "ridge" and run.clip is None
        m = l2 + least / divisor if curved else l2
        return Curvature(chosen, m, l2 + beta * largest / divisor, True)
    squares = total(context.length(row).square() for row in rows)
    counted = real(len(rows)) / divisor if run.clip.inside else ONE
    outside = ZERO if run.clip.inside else l2
    return Curvature(chosen, outside, beta * squares / divisor + counted * l2, False)


def _eigenvalues(context: Context, batch: Batch, vectors: Any) -> tuple[Interval, Interval]:
    """Bounds of the least and the largest eigenvalue of X^T X."""
    v = matrix(square(vectors, len(context.run.data.rows[0]), binary64)).centre()
    off = deviation(v.transposed @ v)
    need(off < ONE, "the vectors are too far from orthonormal")
    product = v.transposed @ (gram(context, batch) @ v)
    w = (product + product.transposed).scaled(HALF)
    radii = [sum(map(abs, row)) - abs(row[i]) for i, row in enumerate(w.rows)]
    low = min(row[i] - radius for i, (row, radius) in enumerate(zip(w.rows, radii, strict=True)))
    high = max(row[i] + radius for i, (row, radius) in enumerate(zip(w.rows, radii, strict=True)))
    least = greater(ZERO, dyadic(low, w.exponent) - w.error) / (ONE + off)
    largest = greater(ZERO, dyadic(high, w.exponent) + w.error) / (ONE - off)
    return least.bottom(), largest.top()


def contraction(context: Context, found: list[Statement], witness: Any) -> Statement:
    """max(|1 - eta m|, |1 - eta L|) where convex; else |1 - eta m| + eta (L - m), m the weight of the
    regularizer outside the clip.  Rounded up."""
    (size,) = record(witness, "step_size")
    bound, eta = first_of(found, Curvature), positive(size)
    step = real(eta)
    near, far = ((ONE - step * x).magnitude() for x in (bound.m, bound.L))
    c = greater(near, far) if bound.convex else near + step * (bound.L - bound.m)
    return Contraction(bound.batch, eta, c.top())


def _shifts(
    context: Context,
    found: list[Statement],
    witness: Any,
    shift: Callable[[Match, bool], Interval],
) -> Statement:
    need(not found, "uses no lines")
    (value,) = record(witness, "last")
    last = read_last(value)
    ball = confined(context, last)

    def one(match: Match) -> tuple[int, Interval]:
        need(match.alike, "the worlds' steps differ in size or batch")
        return match.count, shift(match, ball) if match.removed else ZERO

    return Sensitivity("any", tuple(each(matched(context, last), one)), last, ZERO)


def worst_case(context: Context, found: list[Statement], witness: Any) -> Statement:
    """S1: eta M |F| / N, M the largest gradient of any row; twice that where the divisor changes too."""

    def shift(match: Match, ball: bool) -> Interval:
        run = context.run
        largest = context.once(("largest", ball), lambda: _largest(context, ball))
        times = len(match.removed) * (2 if run.normalizer == "current" else 1)
        return real(match.p.size) * largest * real(times) / real(run.divisor(match.p.batch))

    return _shifts(context, found, witness, shift)


def _largest(context: Context, ball: bool) -> Interval:
    found = ZERO
    for row in range(len(context.run.data.rows)):
        found = greater(found, gradient_bound(context, row, ball))
    return found


def per_instance(context: Context, found: list[Statement], witness: Any) -> Statement:
    """S2: (eta/N) sum of the removed rows' gradients; with the divisor ``current``, plus (k/kept) times
    that of the rows that stay."""

    def shift(match: Match, ball: bool) -> Interval:
        run, kept = context.run, context.run.rows(match.q.batch)
        found = _bounds(context, match.removed, ball)
        if run.normalizer == "current" and kept:
            found = found + real(len(match.removed)) / real(len(kept)) * _bounds(context, kept, ball)
        return real(match.p.size) * found / real(run.divisor(match.p.batch))

    return _shifts(context, found, witness, shift)


def _bounds(context: Context, rows: Iterable[int], ball: bool) -> Interval:
    return total(gradient_bound(context, row, ball) for row in rows)


def drift(context: Context, found: list[Statement], witness: Any) -> Statement:
    """S1-drift: bounded gradients in both worlds, c = |1 - eta lambda|, or 1 with all of it clipped."""
    need(not found, "uses no lines")
    (value,) = record(witness, "last")
    last, run = read_last(value), context.run
    ball, inside = confined(context, last), run.clip is not None and run.clip.inside

    def side(batch: Batch) -> Interval:
        return _bounds(context, run.rows(batch), ball) / real(run.divisor(batch))

    def one(match: Match) -> tuple[int, Interval, Interval]:
        need(match.p.size == match.q.size, "the worlds' steps differ in size")
        eta = real(match.p.size)
        c = ONE if inside else (ONE - eta * real(run.l2)).magnitude()
        p, q = (context.once(("side", batch, ball), partial(side, batch)) for batch in match.batches)
        return match.count, c.top(), eta * (p + q)

    return Drift(tuple(each(matched(context, last), one)), last)
