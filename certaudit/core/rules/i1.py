"""Contractive noisy iteration: from the shift of each step to Gaussian DP of the released model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.coupling import DIRECTIONS, side_by_side
from certaudit.core.rates import Rates
from certaudit.core.rule import Conclusion, NotApplicable, Premise, Rule, Undecided, expect, numbers
from certaudit.core.statement import Direction, Drift, GaussianDP, Sensitivity, Statement
from certaudit.core.term import Environment, Formula, sqrt, symbols
from certaudit.run import Run, World

mu, c, s, a, r, z, sigma2 = symbols("mu c s a r z sigma^2")
p, q, g, longer, doubled = symbols("c^n r^n g_n g_(n+1) g_(2n)")
after, shifts, taken, squares = symbols("z_n g_n(c,1) g_n(c,r) g_n(1,r^2)")
spent, before, energy, R = symbols("E_n E_before E R")

LONGER = Formula(longer, c * g + q)
DOUBLED = Formula(doubled, g * (p + q))
AFTER = Formula(after, p * z + s * shifts - a * taken)
SPENT = Formula(spent, a**2 * squares / sigma2)
LEFT = Formula(a, c * z + s)
LAST = Formula(energy, before + a**2 / sigma2)
SHIFT = Formula(mu, sqrt(energy))
DIAMETER = Formula(z, 2 * R)

Shown = tuple[tuple[Formula, Environment], ...]


@dataclass(frozen=True)
class Block:
    """In ``count`` equal steps first, first ratio, first ratio^2, ... of the distance is erased."""

    count: int
    first: Fraction
    ratio: Fraction


@dataclass(frozen=True)
class Witness:
    """``split``: what each step erases, for all the steps but the last with noise, in order."""

    split: tuple[Block, ...]


@dataclass(frozen=True)
class Stretch:
    """``count`` equal steps: Lipschitz constant, shift (both exact, rounded up) and noise variance."""

    count: int
    rate: arb
    shift: arb
    noise_variance: Fraction


@dataclass(frozen=True)
class Course:
    """What the coupled worlds go through: the distance at the start, the stretches before the last step
    with noise, and that step."""

    distance: arb
    stretches: tuple[Stretch, ...]
    last: Stretch
    delta: arb
    directions: tuple[Direction, ...]
    premise: Premise


def i1(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """The released models are mu-GDP, mu^2 = sum (a_t/sigma_t)^2, for any split a_t >= 0 of the distance
    z <- c z + s - a with z >= 0 after every step and z = 0 after the last; up to the bounds' delta.

    Moved together by a_t <= c z + s at step t, which that step's noise hides, the coupled worlds stay
    within z_t, and meet: the last step with noise erases all that is left, and no later one may shift.
    Premises: both worlds take the same steps with the same noise, from the same point or draw (z = 0)
    or, after a restart, from one ball of radius R (z = 2 R); |phi(u) - phi'(v)| <= c |u - v| + s, c of
    the map of either world for S1 and S2, of the *other* world for S3 and S4; S1-drift brings its own.
    Output noise is one more step with c = 1 and s = 0.  The observer sees the final model only.
    mu has no unit.
    """
    course = coupled(run, uses)
    distance, so_far, room = course.distance, arb(0), 0
    shown: Shown = ()
    stretches = iter(course.stretches)
    stretch: Stretch | None = None
    for block in witness.split:
        _lawful(block)
        if not room:
            stretch = next(stretches, None)
            room = 0 if stretch is None else stretch.count
        if stretch is None or block.count > room:
            raise Undecided(RULE.id, "a block of the split leaves its stretch of equal steps")
        distance, cost, shown = erased(stretch, distance, block)
        so_far, room = so_far + cost, room - block.count
    if room or next(stretches, None) is not None:
        raise Undecided(RULE.id, "the split ends before the last step")
    end = course.last
    values = {c: end.rate, z: distance, s: end.shift, before: so_far, sigma2: ball(end.noise_variance)}
    values[a] = LEFT.at(values).upper()
    if values[a].is_zero():
        values[energy] = so_far
    elif end.noise_variance > 0:
        values[energy] = LAST.at(values)
    else:
        raise NotApplicable(RULE.id, "no noise hides the distance left at the end")
    if not values[energy].is_finite():
        raise Undecided(RULE.id, "the distances are too large to add up")
    bound = GaussianDP(SHIFT.at(values), course.delta, course.directions, "final")
    shown = (*shown, (LEFT, values), (LAST, values), (SHIFT, values))
    return Conclusion(bound, (course.premise,), shown)


def coupled(run: Run, uses: tuple[Statement, ...]) -> Course:
    """What the lines used say of each step; raises NotApplicable where the worlds cannot be coupled."""
    if not uses:
        raise NotApplicable(RULE.id, "needs a Sensitivity or a Drift")
    if run.output_noise("P") != run.output_noise("Q"):
        raise NotApplicable(RULE.id, "the output noise of the reference is another")
    stated = uses[0] if isinstance(uses[0], Drift) else expect(RULE.id, uses[0], Sensitivity)
    last, rates = stated.last, Rates.of(RULE.id, uses[1:])
    if isinstance(stated, Drift) and len(uses) > 1:
        raise NotApplicable(RULE.id, "a Drift brings its own contractions")
    pairs = schedule.whole(RULE.id, run) if last is None else schedule.last(RULE.id, run, last)
    if isinstance(stated, Drift):
        delta, world = arb(0), "any"
        moves = [(count, (rate, size)) for count, rate, size in stated.steps]
        known = [(count, pair, *move) for count, pair, move in side_by_side(RULE.id, pairs, moves)]
    else:
        delta, world = stated.delta, stated.world
        partner: World = "P" if world == "Q" else "Q"
        known = [
            (count, pair, rates(pair.batch(partner), pair.step_size), size)
            for count, pair, size in side_by_side(RULE.id, pairs, stated.shifts)
        ]
    stretches = [
        Stretch(count, rate.upper(), size.upper(), pair.noise_variance)
        for count, pair, rate, size in known
    ]
    if run.output_variance > 0:
        stretches.append(Stretch(1, arb(1), arb(0), run.output_variance))
    earlier, end = _until_last_noise(stretches)
    distance, premise = _start(run, last)
    return Course(distance, earlier, end, delta, DIRECTIONS[world], premise)


def _until_last_noise(stretches: list[Stretch]) -> tuple[tuple[Stretch, ...], Stretch]:
    """The steps before the last one with noise, and that one.

    Raises NotApplicable if a later one shifts.  Without any noise the end is a step that does nothing.
    """
    while stretches and stretches[-1].noise_variance == 0:
        if not stretches.pop().shift.is_zero():
            raise NotApplicable(RULE.id, "a shift follows the last noise")
    if not stretches:
        return (), Stretch(1, arb(1), arb(0), Fraction(0))
    *earlier, end = stretches
    if end.count > 1:
        earlier.append(replace(end, count=end.count - 1))
    return tuple(earlier), replace(end, count=1)


def _start(run: Run, last: int | None) -> tuple[arb, Premise]:
    """How far apart the worlds are at the start, and why."""
    if last is None:
        return arb(0), Premise("start", "both runs share the law of w_0, so z_0 = 0")
    if run.projection is None:
        raise NotApplicable(RULE.id, "a restart needs a projection")
    distance = DIAMETER.at({R: ball(run.projection)}).upper()
    text = f"both lie in one ball before the last {last} steps"
    return distance, Premise("restart", text, numbers(z=distance))


def _lawful(block: Block) -> None:
    """Refuses counts and numbers that make no sense, and ratios for which the distance may dip below 0
    inside the block though it does not at the ends.

    D_t = z_{t+1} - z_t obeys D_{t+1} = c D_t + a r^t (1 - r): with r >= 1 it stays <= 0 once it is, so z
    rises, then falls, and is least at an end.
    """
    if not (isinstance(block.count, int) and block.count >= 1):
        raise Undecided(RULE.id, "a block of the split must count at least one step")
    if not (0 <= block.first < inf and 0 <= block.ratio < inf):
        raise Undecided(RULE.id, "a split must erase a finite amount, not below 0")
    if block.count > 1 and not block.ratio >= 1:
        raise Undecided(RULE.id, "in a block of several steps the ratio must be at least 1")


def erased(stretch: Stretch, distance: arb, block: Block) -> tuple[arb, arb, Shown]:
    """The distance after a lawful block (exact, rounded up), its part of mu^2, and what was evaluated.

    Raises Undecided if more is taken than is certainly there, or a step that erases adds no noise.
    """
    n, first, ratio = block.count, ball(block.first), ball(block.ratio)
    power, constant = geometric(stretch.rate, arb(1), n)
    values = {
        p: power,
        z: distance,
        s: stretch.shift,
        a: first,
        sigma2: ball(stretch.noise_variance),
        shifts: constant,
        taken: geometric(stretch.rate, ratio, n)[1],
        squares: geometric(arb(1), ratio * ratio, n)[1],
    }
    left = AFTER.at(values)
    if not left >= 0:
        raise Undecided(RULE.id, "the split erases more than is there")
    if first.is_zero():
        return left.upper(), arb(0), ((AFTER, values),)
    if not stretch.noise_variance > 0:
        raise Undecided(RULE.id, "the split erases in a step without noise")
    return left.upper(), SPENT.at(values), ((AFTER, values), (SPENT, values))


def geometric(rate: arb, ratio: arb, n: int) -> tuple[arb, arb]:
    """c^n and g_n(c, r) = sum over k < n of c^(n-1-k) r^k, n >= 1, by doubling: nothing cancels."""
    values = {c: rate, p: rate, q: ratio, g: arb(1)}
    for bit in f"{n:b}"[1:]:
        values |= {g: DOUBLED.at(values), p: values[p] * values[p], q: values[q] * values[q]}
        if bit == "1":
            values |= {g: LONGER.at(values), p: rate * values[p], q: ratio * values[q]}
    return values[p], values[g]


RULE = Rule(
    "I1",
    "Contractive noisy iteration",
    "theory.md#i1; BSA24 in its general form",
    Witness,
    i1,
)
