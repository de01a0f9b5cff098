"""What is known of the removed rows along the run: residuals of the squared loss, margins of others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from gmpy2 import mpq

from .affine import need_affine, one_step
from .document import choice, count, items, number, numbers, record
from .interval import HALF, ONE, TWO, ZERO, Interval, greater, hull, lesser, precision, real, tail, total
from .matrix import Matrix, diagonal, dot, matrix, quadratic, row_of
from .refusal import need
from .run import Batch, Step
from .statement import Contraction, Exceedance, MarginLaw, ResidualLaw, Sensitivity, Statement
from .steps import Context, Match, all_of, first_of, matched, removing

BITS = 128
Constants = dict[tuple[Batch, mpq], Interval]


def contractions(found: list[Statement]) -> Constants:
    """The constant of each map."""
    different = {id(line): line for line in all_of(found, Contraction)}
    return {(line.batch, line.size): line.c for line in different.values()}


def constant(known: Constants, step: Step) -> Interval:
    """That of one map."""
    need((step.batch, step.size) in known, "no contraction is shown for one of the maps")
    return known[step.batch, step.size]


def residual_law(context: Context, found: list[Statement], witness: Any) -> Statement:
    """m <- m A + b and S <- A S A + sigma^2 I, errors carried by the contractions; x S x^T within equal
    steps by x A^t alone."""
    (value,) = record(witness, "world")
    world, known = choice(value, "P", "Q"), contractions(found)
    need_affine(context.run)
    with precision(BITS):
        return ResidualLaw(world, tuple(_residuals(context, world, removing(context), known)))


def _residuals(
    context: Context, world: str, matches: list[Match], known: Constants
) -> Iterator[tuple[tuple[Interval, Interval], ...]]:
    run = context.run
    mean, covariance = matrix([run.mean]), diagonal(len(run.mean), real(run.variance))
    rows = {row: context.table((row,)) for match in matches for row in match.removed}
    for start, end in _blocks(matches, world):
        step = matches[start].step(world)
        motion = one_step(context, step, constant(known, step))
        moved, gathered = dict(rows), dict.fromkeys(rows, ZERO)
        for match in matches[start:end]:
            laws = []
            for row in match.removed:
                spread = quadratic(moved[row], covariance) + real(step.noise) * gathered[row]
                laws.append((dot(rows[row], mean) - context.target(row), greater(ZERO, spread)))
            yield tuple(laws)
            mean = mean @ motion.a + motion.b
            if end - start > 1:
                gathered = {row: gathered[row] + dot(moved[row], moved[row]) for row in rows}
                moved = {row: moved[row] @ motion.a for row in rows}
        if end < len(matches):
            covariance = motion.repeated(end - start).carry(covariance)


def _blocks(matches: list[Match], world: str) -> Iterator[tuple[int, int]]:
    start = 0
    for t in range(1, len(matches) + 1):
        if t == len(matches) or matches[t].step(world) is not matches[start].step(world):
            yield start, t
            start = t


def residual_sensitivity(context: Context, found: list[Statement], witness: Any) -> Statement:
    """S3: |r| <= q = |mean| + z s but with probability P(Z > z) + P(Z > z + 2 |mean| / s), s^2 the
    variance."""
    (value,) = record(witness, "quantiles")
    law, run = first_of(found, ResidualLaw), context.run
    need(run.normalizer != "current", "the divisor changes with the removal")
    tables = items(value)
    need(len(tables) == len(law.laws), f"expected quantiles for {len(law.laws)} steps")
    with precision(BITS):
        shifts, spent = _bounded(context, law, tables)
    return Sensitivity(law.world, _padded(context, shifts), None, spent)


def _bounded(
    context: Context, law: ResidualLaw, tables: list[Any]
) -> tuple[list[tuple[int, Interval]], Interval]:
    run, shifts, spent = context.run, [], ZERO
    for match, laws, table in zip(removing(context), law.laws, tables, strict=True):
        shift = ZERO
        for row, (mean, variance), z in zip(match.removed, laws, numbers(table, len(laws)), strict=True):
            need(z >= 0, "a quantile below 0")
            centre, spread = mean.magnitude(), variance.sqrt()
            if not variance.is_zero():
                spread = spread.top()
                spent = spent + _both_tails(context, z, TWO * centre.bottom() / spread)
            shift = shift + context.length(row) * (centre + real(z) * spread)
        shifts.append((1, real(match.p.size) / real(run.divisor(match.p.batch)) * shift))
    return shifts, spent


def _both_tails(context: Context, z: mpq, gap: Interval) -> Interval:
    """P(Z > z) + P(Z > z + gap), the latter bounded by P(Z > 12) or P(Z > 2 z) where it is smaller."""
    far = max(2 * z, mpq(12))
    with precision(64):
        near, beyond = (context.once(("tail", x), partial(tail, real(x))) for x in (z, far))
        reach = real(z) + gap
        return near + (beyond if reach >= real(far) else tail(reach))


def _padded(context: Context, shifts: list[tuple[int, Interval]]) -> tuple[tuple[int, Interval], ...]:
    """One entry for each match, those after the last removed row 0."""
    found, at = [], 0
    for match in matched(context):
        if at >= len(shifts):
            found.append((match.count, ZERO))
            continue
        found += shifts[at : at + match.count]
        at += match.count
    return tuple(found)


def exceedance(context: Context, found: list[Statement], witness: Any) -> Statement:
    """The one removed row's |r| against sensitivity N / (eta |x|)."""
    step, size = record(witness, "step", "sensitivity")
    law, run, at, bound = first_of(found, ResidualLaw), context.run, count(step, least=1), number(size)
    need(run.normalizer != "current", "the divisor changes with the removal")
    need(bound >= 0, "a sensitivity below 0")
    matches = removing(context)
    total_steps = sum(match.count for match in matched(context))
    need(at <= total_steps, f"the run takes {total_steps} steps")
    removed = matches[at - 1].removed if at <= len(matches) else ()
    if not removed:
        return Exceedance(law.world, at, bound, ZERO)
    need(len(removed) == 1, "more than one row is removed from that step")
    match, (mean, variance) = matches[at - 1], law.laws[at - 1][0]
    reach = real(match.p.size) * context.length(removed[0])
    if reach.is_zero():
        return Exceedance(law.world, at, bound, ZERO)
    level, centre = real(bound) * real(run.divisor(match.p.batch)) / reach, mean.magnitude()
    if variance.is_zero():
        need(centre <= level or centre > level, "cannot tell whether the bound is exceeded")
        return Exceedance(law.world, at, bound, ZERO if centre <= level else ONE)
    spread = variance.sqrt()
    return Exceedance(
        law.world, at, bound, tail((level - centre) / spread) + tail((level + centre) / spread)
    )


def margin_law(context: Context, found: list[Statement], witness: Any) -> Statement:
    """The noiseless run w, tau^2 <- c^2 tau^2 + sigma^2, and the mean's distance from w by the third
    derivative or by sqrt(d) tau (S4)."""
    (value,) = record(witness, "world")
    world, known, run = choice(value, "P", "Q"), contractions(found), context.run
    need(run.loss in ("logistic", "huber"), "no slope in one margin is known of this loss")
    need(run.projection is None and run.clip is None, "a projection or a clip")
    with precision(BITS):
        return MarginLaw(world, tuple(_margins(context, world, removing(context), known)))


def _margins(
    context: Context, world: str, matches: list[Match], known: Constants
) -> Iterator[tuple[tuple[Interval, Interval, Interval], ...]]:
    run, centre, bias = context.run, matrix([context.run.mean]), ZERO
    error, centre, spread = centre.error, centre.centre(), real(run.variance)
    third = ONE / (real(6) * real(3).sqrt()) if run.loss == "logistic" else None
    for match in matches:
        step = match.step(world)
        c, share = constant(known, step), real(step.size) / real(run.divisor(step.batch))
        yield tuple((_margin(context, row, centre, error), spread.sqrt(), bias) for row in match.removed)
        centre = _noiseless(context, step, centre, share)
        error, centre = (c * error + centre.error).top(), centre.centre()
        after = c.square() * spread + real(step.noise)
        far = (real(len(run.mean)) * after).sqrt()
        if third is not None:
            cubes = context.once(("cubes", step.batch), partial(_cubes, context, step.batch))
            far = lesser(far, c * bias + share * cubes * third * spread * HALF)
        spread, bias = after, far


def _margin(context: Context, row: int, centre: Matrix, error: Interval) -> Interval:
    inexact = context.length(row) * error
    return dot(context.table((row,)), centre) + hull(inexact, -inexact)


def _cubes(context: Context, batch: Batch) -> Interval:
    return total(context.length(row).power(3) for row in context.run.rows(batch))


def _noiseless(context: Context, step: Step, w: Matrix, share: Interval) -> Matrix:
    """One step without noise from an exact point; no slope changes faster than its margin."""
    run, rows = context.run, tuple(context.run.rows(step.batch))
    kept = w.scaled(ONE - real(step.size) * real(run.l2))
    if not rows:
        return kept
    table = context.once(("narrow", step.batch), partial(context.table, rows))
    margins = w @ table.transposed
    points = zip(rows, margins.centre().entries(), strict=True)
    slopes = row_of(_slope(context, row, u) for row, u in points).loosened(margins.error)
    return kept - (slopes @ table).scaled(share)


def _slope(context: Context, row: int, margin: Interval) -> Interval:
    """loss'(u)."""
    target, threshold = context.run.data.targets[row], context.run.threshold
    if threshold is None:
        return -margin.logistic() if target > 0 else (-margin).logistic()
    kink = real(threshold)
    return greater(-kink, lesser(kink, margin - real(target)))


def margin_sensitivity(context: Context, found: list[Statement], witness: Any) -> Statement:
    """S4: the margin lies within |x| (tau sqrt(2 log(2/share)) + bias) of the noiseless one, but with
    probability ``share`` for each step and row; a convex loss is steepest at an end."""
    (value,) = record(witness, "share")
    law, run, share = first_of(found, MarginLaw), context.run, number(value)
    need(run.normalizer != "current", "the divisor changes with the removal")
    need(0 < share < 1, "a probability outside (0, 1)")
    reach, shifts, spent = (TWO * (TWO / real(share)).log()).sqrt(), [], ZERO
    for match, laws in zip(removing(context), law.laws, strict=True):
        shift = ZERO
        for row, (margin, spread, bias) in zip(match.removed, laws, strict=True):
            length = context.length(row)
            wide = length * (spread * reach + bias)
            ends = [_slope(context, row, end).magnitude() for end in (margin - wide, margin + wide)]
            shift = shift + length * greater(*ends)
            spent = spent if spread.is_zero() else spent + real(share)
        shifts.append((1, real(match.p.size) / real(run.divisor(match.p.batch)) * shift))
    return Sensitivity(law.world, _padded(context, shifts), None, spent)
