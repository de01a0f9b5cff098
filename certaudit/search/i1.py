"""The split of I1 that costs least: the greatest convex minorant, pooled.

With C_t the product of c after step t, u_t = C_t s_t (u_0 also carries C_0 c_0 z_0), w_t = C_t^2
sigma_t^2 and x_t = C_t a_t, the cost is sum x_t^2/w_t, and every partial sum of x is at most that of u.
Its minimum pools adjacent violators until U/W rises from pool to pool, and x_t = w_t U/W in each.  n
equal steps with c <= 1 are in one pool, as u_t/w_t falls.  Numbers are exact midpoints of balls, whose
exponents have no limit, so c^T does not underflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import repeat
from math import floor

from flint import arb, ctx

from certaudit.core.balls import ball, fraction, precision
from certaudit.core.proof import Line, Proof
from certaudit.core.rule import NotApplicable
from certaudit.core.rules.i1 import RULE, Block, Course, Stretch, Witness, coupled, erased, geometric

MOST_SINGLE_STEPS = 20000
LEAST = arb(2) ** -60000


@dataclass(frozen=True)
class Piece:
    """Equal steps of one pool: ``later`` the product of c after them, ``power`` that over them.

    u and w are summed over them, u without the distance they find.
    """

    steps: Stretch
    later: arb
    power: arb
    u: arb
    w: arb


def contractive(proof: Proof, sensitivity: Line, steps: Sequence[Line]) -> Line:
    """The line of I1 with the best split; raises Refusal."""
    uses = (sensitivity, *steps)
    course = coupled(proof.subject, tuple(line.statement for line in uses))
    return proof.apply(RULE.id, uses, witness(course))


def witness(course: Course) -> Witness:
    """The best split, a hair smaller, so that rounding never erases more than is there.

    What a pool leaves is carried to the next.  Raises NotApplicable for too many steps that expand.
    """
    hair = 1 - arb(2) ** -(ctx.prec // 3)
    pieces = _pieces(course)
    blocks: list[Block] = []
    distance = course.distance
    for pool in _pools(pieces, course.distance):
        found = pieces[pool.start].later * pieces[pool.start].power * distance
        u, w = (sum((getattr(one, name) for one in pieces[pool]), arb(0)) for name in ("u", "w"))
        level = hair * (found + u) / w if w > 0 else arb(0)
        for piece in pieces[pool]:
            if piece is pieces[-1]:
                break
            for block in _blocks(piece, level):
                blocks.append(block)
                distance = erased(piece.steps, distance, block)[0]
    return Witness(tuple(blocks))


def _pieces(course: Course) -> list[Piece]:
    found: list[Piece] = []
    later = arb(1)
    for steps in reversed(list(_listed((*course.stretches, course.last)))):
        power, constant = geometric(steps.rate, arb(1), steps.count)
        squares = geometric(steps.rate * steps.rate, arb(1), steps.count)[1]
        noise = ball(steps.noise_variance)
        u, w = later * steps.shift * constant, later * later * noise * squares
        found.append(Piece(steps, later, power.mid(), u.mid(), w.mid()))
        later = (later * power).mid()
    return found[::-1]


def _listed(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Stretches of steps that belong to one pool."""
    singles = 0
    for one in stretches:
        if one.count == 1 or 0 < one.rate <= 1:
            yield one
        elif one.rate > 1:
            singles += one.count
            if singles > MOST_SINGLE_STEPS:
                raise NotApplicable(
                    RULE.id, f"not attempted: more than {MOST_SINGLE_STEPS} steps expand"
                )
            yield from repeat(replace(one, count=1), one.count)
        else:
            yield from (replace(one, count=one.count - 1), replace(one, count=1))


def _pools(pieces: Sequence[Piece], distance: arb) -> list[slice]:
    pools: list[tuple[slice, arb, arb]] = []
    for k, piece in enumerate(pieces):
        u, w, start = piece.u, piece.w, k
        if k == 0:
            u = (u + piece.later * piece.power * distance).mid()
        while pools and (pools[-1][1] * w).mid() >= (u * pools[-1][2]).mid():
            last, last_u, last_w = pools.pop()
            u, w, start = (u + last_u).mid(), (w + last_w).mid(), last.start
        pools.append((slice(start, k + 1), u, w))
    return [pool for pool, _, _ in pools]


def _blocks(piece: Piece, level: arb) -> Iterator[Block]:
    """a_t = level C_t sigma_t^2: it grows by 1/c from step to step; amounts not worth writing are 0."""
    steps = piece.steps
    most = level * piece.later * ball(steps.noise_variance)
    count = steps.count
    worth = count if most > LEAST else 0
    if worth and 0 < steps.rate < 1:
        worth = min(count, 1 + floor(float((LEAST / most).log() / steps.rate.log())))
    if worth < count:
        yield Block(count - worth, Fraction(0), Fraction(1))
    if worth:
        ratio = 1 / steps.rate if worth > 1 else arb(1)
        first = most * geometric(steps.rate, arb(1), worth - 1)[0] if worth > 1 else most
        yield Block(worth, _down(first), _down(ratio))


def _down(x: arb) -> Fraction:
    with precision(ctx.prec // 2):
        return fraction(x.lower())
