"""From single steps to the whole run: contractive noisy iteration (I1) and composition (I2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gmpy2 import mpq

from .affine import geometric
from .document import count, items, record
from .interval import ONE, TWO, ZERO, Interval, greater, real
from .refusal import Refused, need
from .rules_law import Constants, constant, contractions
from .run import at_least_0
from .statement import BOTH, Drift, GaussianDP, Sensitivity, Statement
from .steps import Context, Match, each, first_of, matched, zipped

MOST_BLOCKS = 1_000_000
TOWARDS = {"P": ("P|Q",), "Q": ("Q|P",), "any": BOTH}


@dataclass(frozen=True, slots=True)
class Stretch:
    """``count`` steps |difference| <- c |difference| + s - a, with noise of that variance."""

    count: int
    c: Interval
    s: Interval
    noise: mpq

    def like(self, other: Stretch) -> bool:
        """Whether the steps are equal."""
        return self.c.same(other.c) and self.s.same(other.s) and self.noise == other.noise


def need_one_noise(context: Context, matches: list[Match]) -> None:
    """Refuse where the worlds' noises differ, in a step or on the output."""
    need(all(each(matches, lambda match: match.p.noise == match.q.noise)), "the worlds' noises differ")
    run = context.run
    need(run.output_noise("P") == run.output_noise("Q"), "the worlds' output noises differ")


def directions(bound: Sensitivity) -> tuple[str, ...]:
    """Those that a bound on one world's iterates serves: if there is slack, its own law first."""
    return BOTH if bound.delta.is_zero() else TOWARDS[bound.world]


def iteration(context: Context, found: list[Statement], witness: Any) -> Statement:
    """I1 (BSA24): mu^2 = sum (a/sigma)^2 for z <- max(0, c z + s - a) from 0 (a restart: the diameter of
    the ball) to 0; what is left in the last step is erased there."""
    (split,) = record(witness, "split")
    if found and isinstance(found[0], Drift):
        bound = first_of(found, Drift)
        matches, delta = matched(context, bound.last), ZERO
        towards: tuple[str, ...] = BOTH
        rates = [(times, (c, s)) for times, c, s in bound.steps]
    else:
        moved = first_of(found, Sensitivity, alone=False)
        matches, delta, towards = matched(context, moved.last), moved.delta, directions(moved)
        rates = _rates(moved, matches, found[1:])
        bound = Drift((), moved.last)
    need_one_noise(context, matches)
    sides = zipped([(match.count, match) for match in matches], rates)
    stretches = [Stretch(times, c, s, match.p.noise) for times, match, (c, s) in sides]
    if context.run.output:
        stretches.append(Stretch(1, ONE, ZERO, context.run.output))
    start = ZERO if bound.last is None else TWO * real(context.run.projection or 0)
    energy = _energy(_merged(stretches), items(split, MOST_BLOCKS), start)
    return GaussianDP(towards, "final", "upper", energy.sqrt(), delta)


def _rates(
    bound: Sensitivity, matches: list[Match], lines: list[Statement]
) -> list[tuple[int, tuple[Interval, Interval]]]:
    """(c, s) step by step, c of the other world's maps (of either, where s holds everywhere)."""
    known, fault = contractions(lines), Refused("")
    for world in {"P": "Q", "Q": "P", "any": "QP"}[bound.world]:
        try:
            constants = each(matches, partial(_counted, known, world))
        except Refused as missing:
            fault = missing
            continue
        return [(times, (c, s)) for times, c, s in zipped(constants, bound.shifts)]
    raise fault


def _counted(known: Constants, world: str, match: Match) -> tuple[int, Interval]:
    return match.count, constant(known, match.step(world))


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    found: list[Stretch] = []
    for stretch in stretches:
        if found and found[-1].like(stretch):
            stretch = Stretch(found.pop().count + stretch.count, stretch.c, stretch.s, stretch.noise)
        found.append(stretch)
    return found


def _energy(stretches: list[Stretch], split: list[Any], start: Interval) -> Interval:
    """sum (a/sigma)^2 of a lawful split, which covers the steps before the last with noise; 0 where
    nothing ever differs."""
    if start.is_zero() and all(stretch.s.is_zero() for stretch in stretches):
        return ZERO
    while stretches and not stretches[-1].noise and stretches[-1].s.is_zero():
        stretches = stretches[:-1]
    need(len(stretches) > 0, "no step has noise")
    left, z, energy = stretches[::-1], start, ZERO
    for block in split:
        times, first, ratio = record(block, "count", "first", "ratio")
        steps, at = count(times, least=1), left.pop()
        need(steps <= at.count - (not left), "a block crosses over to other steps")
        z, cost = _block(at, steps, z, at_least_0(first), at_least_0(ratio))
        energy = energy + cost
        if at.count > steps:
            left.append(Stretch(at.count - steps, at.c, at.s, at.noise))
    need(len(left) == 1 and left[0].count == 1, "the split does not end before the last step")
    final = left[0].c * z + left[0].s
    return energy + _cost(final, left[0].noise)


def _cost(erased: Interval, noise: mpq) -> Interval:
    if erased.is_zero():
        return ZERO
    need(noise > 0, "a step without noise cannot erase")
    return erased.square() / real(noise)


def _block(at: Stretch, steps: int, z: Interval, first: mpq, ratio: mpq) -> tuple[Interval, Interval]:
    """z after that many steps, and their cost.  Inside a block z rises, then falls, as a r^t does not
    fall; where the end cannot be told from 0, what is there is erased, which costs no more."""
    need(steps == 1 or ratio >= 1, "what a block erases falls inside it")
    a, r = real(first), real(ratio)
    cost = _cost(a, at.noise) * geometric(r.square(), steps) if first else ZERO
    after = _after(at, steps, z, a, r)
    need(not after < ZERO, "the split erases more than is there")
    return greater(ZERO, after), cost


def _after(at: Stretch, steps: int, z: Interval, a: Interval, r: Interval) -> Interval:
    """c^n z + s (1 + ... + c^(n-1)) - a sum_(i<n) c^(n-1-i) r^i, the sum by doubling."""
    mixed, ups, downs = ZERO, ONE, ONE
    for digit in bin(steps)[2:]:
        mixed, ups, downs = mixed * (ups + downs), ups.square(), downs.square()
        if digit == "1":
            mixed, ups, downs = at.c * mixed + downs, ups * at.c, downs * r
    return ups * z + at.s * geometric(at.c, steps) - a * mixed


def composition(context: Context, found: list[Statement], witness: Any) -> Statement:
    """I2: mu^2 = sum (s/sigma)^2, for whoever sees every iterate."""
    record(witness)
    bound = first_of(found, Sensitivity)
    need(bound.last is None, "the bound leaves out the first steps")
    matches = matched(context)
    need_one_noise(context, matches)
    sides = zipped([(match.count, match) for match in matches], bound.shifts)
    energy = ZERO
    for times, match, s in sides:
        energy = energy + _cost(s, match.p.noise) * real(times)
    return GaussianDP(directions(bound), "every-step", "upper", energy.sqrt(), bound.delta)
