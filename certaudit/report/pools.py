"""The blocks and pools behind a contractive iteration's mu, worked out again for reading."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Any

from flint import arb

from certaudit.kernel import iteration as rule
from certaudit.kernel import schedule
from certaudit.kernel.balls import ball, lower, upper
from certaudit.kernel.expr import evaluate
from certaudit.kernel.statement import Statement
from certaudit.run import Run, World


@dataclass(frozen=True)
class Block:
    """Equal steps ``first`` to ``last`` (from 1), with the numbers of the block's formulas by name."""

    first: int
    last: int
    numbers: dict[str, arb]
    u: arb
    w: arb


@dataclass(frozen=True)
class Pool:
    """Steps ``first`` to ``last`` as one pool."""

    first: int
    last: int
    total_u: Fraction
    total_w: Fraction

    @property
    def energy(self) -> arb:
        """U^2/W; infinite where a shift meets no noise."""
        if self.total_w == 0:
            return arb(0) if self.total_u == 0 else arb("inf")
        energy: arb = evaluate(rule.ENERGY, {rule.U: ball(self.total_u), rule.W: ball(self.total_w)})
        return energy


def blocks(step: Statement) -> list[Block]:
    """The blocks of an I1 statement, in order; steps that expand are blocks of their own."""
    found: list[Block] = []
    later, restart = arb(1), _restart(step)
    for first, last, rate, shift, noise in reversed(list(_singles(_stretches(step)))):
        count = last - first + 1
        several = count > 1 and rate < 1
        power = rate**count
        values = {rule.C: later, rule.s: shift, rule.sigma2: noise, rule.c: rate, rule.c_n: power}
        values[rule.g1] = evaluate(rule.SUM, values) if several else arb(count)
        values[rule.g2] = evaluate(rule.SQUARES, values) if several else arb(count)
        if first == 1:
            values[rule.z] = restart
        u = evaluate(rule.START if first == 1 else rule.SHIFT, values)
        numbers = {symbol.name: value for symbol, value in values.items()}
        if several:
            del numbers["g_1"], numbers["g_2"]
        found.append(Block(first, last, numbers, u, evaluate(rule.NOISE, values)))
        later *= power
    return found[::-1]


def pools(parts: list[Block]) -> list[Pool]:
    """Adjacent violators pooled, as the rule does."""
    found: list[Pool] = []
    for part in parts:
        new = Pool(part.first, part.last, upper(part.u), max(lower(part.w), Fraction(0)))
        while found and found[-1].total_u * new.total_w >= new.total_u * found[-1].total_w:
            old = found.pop()
            new = Pool(old.first, new.last, old.total_u + new.total_u, old.total_w + new.total_w)
        found.append(new)
    return found


Stretch = tuple[int, int, arb, arb, arb]


def _singles(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    for first, last, rate, shift, noise in stretches:
        if rate <= 1:
            yield first, last, rate, shift, noise
        else:
            yield from ((t, t, rate, shift, noise) for t in range(first, last + 1))


def _stretches(step: Statement) -> Iterator[Stretch]:
    """First and last step, contraction, shift and noise variance while all three are constant."""
    sensitivity = step.uses[0]
    run: Any = step.subject
    last = sensitivity.exact["last"]
    pairs = schedule.whole(rule.I1, run) if last is None else schedule.last(rule.I1, run, last)
    partner: World = "P" if sensitivity.exact["world"] == "Q" else "Q"
    rates = {(s.exact["batch"], s.exact["step_size"]): ball(s.exact["bound"]) for s in step.uses[1:]}
    by_pair = list(accumulate(pair.count for pair in pairs))
    by_shift = list(accumulate(sensitivity.exact["repeats"]))
    start = 0
    for end in sorted({*by_pair, *by_shift}):
        if end > start:
            pair, k = pairs[bisect_right(by_pair, start)], bisect_right(by_shift, start)
            own = sensitivity.values["c"][k] if "c" in sensitivity.values else None
            rate = rates[pair.batch(partner), pair.step_size] if own is None else own
            yield start + 1, end, rate, sensitivity.values["s"][k], ball(pair.noise_variance)
        start = end
    if run.output_variance > 0:
        yield start + 1, start + 1, arb(1), arb(0), ball(run.output_variance)


def _restart(step: Statement) -> arb:
    run: Run = step.subject  # type: ignore[assignment]
    if step.uses[0].exact["last"] is None or run.projection is None:
        return arb(0)
    return rule.DIAMETER * ball(run.projection)
