"""The steps of the two worlds side by side, and how large one example's gradient can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from typing import Any, TypeVar, cast

from .document import count
from .interval import BITS, ONE, Interval, lesser, precision, real, total
from .matrix import Matrix, matrix
from .refusal import Refused, need, spend
from .run import Batch, Phase, Run, Segment, Step, optional
from .statement import Statement

S = TypeVar("S", bound=Statement)
A = TypeVar("A")
B = TypeVar("B")

MOST_CHANGES = 20_000
MOST_STEPS = 10_000


@dataclass(frozen=True, eq=False)
class Match:
    """``count`` equal steps of P beside as many of Q; equal ones are one object."""

    count: int
    p: Step
    q: Step

    @cached_property
    def removed(self) -> tuple[int, ...]:
        """Rows of P's batch that Q's lacks, in order."""
        spend(len(self.q.batch.removed) / 5)
        return tuple(sorted(self.q.batch.removed - self.p.batch.removed))

    @cached_property
    def alike(self) -> bool:
        """Whether the maps differ by the removed rows alone."""
        return self.p.size == self.q.size and self.p.batch.members == self.q.batch.members

    @property
    def batches(self) -> tuple[Batch, Batch]:
        """Both worlds' batches."""
        return self.p.batch, self.q.batch

    def step(self, world: str) -> Step:
        """That world's step."""
        return self.p if world == "P" else self.q


@dataclass(frozen=True)
class Context:
    """What every rule may look at, and what rules have computed of it already."""

    run: Run
    memory: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, compute: Callable[[], A]) -> A:
        """The value of that key, computed the first time."""
        if key not in self.memory:
            self.memory[key] = compute()
        return cast(A, self.memory[key])

    def table(self, rows: tuple[int, ...]) -> Matrix:
        """Those rows of X."""
        listed = self.run.data.rows
        with precision(BITS):
            full = self.once("table", lambda: matrix(listed))
            if full.error.is_zero():
                return Matrix(tuple(full.rows[j] for j in rows), full.exponent)
            return matrix([listed[j] for j in rows])

    def length(self, row: int) -> Interval:
        """|x_j|."""
        listed = self.run.data.rows[row]
        with precision(BITS):
            return self.once(("length", row), lambda: total(real(x).square() for x in listed).sqrt())

    def target(self, row: int) -> Interval:
        """y_j."""
        return self.once(("target", row), lambda: real(self.run.data.targets[row]))

    def program(self, world: str) -> list[Segment]:
        """The phases of that world; equal steps are one object, and so are equal batches."""
        return self.once(("program", world), lambda: [*map(self._segment, self.run.program(world))])

    def _segment(self, found: tuple[Phase, frozenset[int]]) -> Segment:
        phase, gone = found
        steps = []
        for rows in phase.batches or (None,):
            spend(5 + len(gone if rows is None else rows) / 5)
            batch = self.same(Batch(rows, gone if rows is None else gone.intersection(rows)))
            steps.append(self.same(Step(phase.size, phase.noise, batch)))
        return Segment(phase.steps, tuple(steps[:1] if len(set(steps)) == 1 else steps))

    def same(self, found: A) -> A:
        """The first that equals it, so that equal ones need no comparing."""
        return self.once(found, lambda: found)


def matched(context: Context, last: int | None = None) -> list[Match]:
    """All steps of both worlds, or the last ones that both end with."""
    found = context.once(("matched", last), lambda: _matched(context, last))
    spend(2 * len(found))
    return found


def _matched(context: Context, last: int | None) -> list[Match]:
    schedules = {}
    for world in ("P", "Q"):
        changes = chain.from_iterable(segment.schedule() for segment in context.program(world))
        listed = list(islice(changes, MOST_CHANGES + 1))
        need(len(listed) <= MOST_CHANGES, f"the map changes more than {MOST_CHANGES} times")
        steps = sum(times for times, _ in listed)
        if last is not None:
            need(context.run.projection is not None, "a restart needs a projection")
            need(steps > last, f"a restart needs an earlier step in world {world}")
            listed = _ending(listed, steps - last)
        schedules[world] = listed
    totals = [sum(times for times, _ in schedules[world]) for world in schedules]
    need(totals[0] == totals[1], f"the worlds take {totals[0]} and {totals[1]} steps")
    sides = zipped(schedules["P"], schedules["Q"])
    known = {(times, id(p), id(q)): Match(times, p, q) for times, p, q in sides}
    return [known[times, id(p), id(q)] for times, p, q in sides]


def _ending(listed: list[tuple[int, Step]], skipped: int) -> list[tuple[int, Step]]:
    found = []
    for times, step in listed:
        gone = min(skipped, times)
        skipped -= gone
        if times > gone:
            found.append((times - gone, step))
    return found


def zipped(first: Iterable[tuple[int, A]], second: Iterable[tuple[int, B]]) -> list[tuple[int, A, B]]:
    """Two lists of (times, value) of the same total side by side."""
    found: list[tuple[int, A, B]] = []
    left, right = list(first)[::-1], list(second)[::-1]
    spend(3 * (len(left) + len(right)))
    while left and right:
        (a, x), (b, y) = left.pop(), right.pop()
        times = min(a, b)
        found.append((times, x, y))
        if a > times:
            left.append((a - times, x))
        if b > times:
            right.append((b - times, y))
    need(not left and not right, "lists of different totals")
    return found


def read_last(value: Any) -> int | None:
    """null, or a number of last steps."""
    return optional(value, lambda x: count(x, least=1))


def removing(context: Context) -> list[Match]:
    """Step by step up to the last that removes a row; the maps differ by such rows alone."""
    found = context.once("removing", lambda: _removing(matched(context)))
    spend(2 * len(found))
    return found


def _removing(matches: list[Match]) -> list[Match]:
    need(all(match.alike for match in matches), "the worlds' steps differ in size or batch")
    ends = [number for number, match in enumerate(matches, 1) if match.removed]
    kept = matches[: ends[-1]] if ends else []
    steps = sum(match.count for match in kept)
    need(steps <= MOST_STEPS, f"more than {MOST_STEPS} steps before the last removed row")
    return [match for match in kept for _ in range(match.count)]


def each(matches: list[Match], compute: Callable[[Match], A]) -> list[A]:
    """The value at every match, computed once for equal ones."""
    known = {match: compute(match) for match in dict.fromkeys(matches)}
    return [known[match] for match in matches]


def confined(context: Context, last: int | None) -> bool:
    """Whether every iterate is known to lie in the ball of the projection."""
    run = context.run
    if run.projection is None or last is not None:
        return last is not None
    start = context.once("start", lambda: total(real(x).square() for x in run.mean))
    return run.variance == 0 and start <= real(run.projection).square()


def slope_bound(run: Run, context: Context, row: int, ball: bool) -> Interval | None:
    """sup |loss'| of that row's margin, over the ball or everywhere; None: no bound."""
    reach, target = None, context.target(row).magnitude()
    if ball and run.projection is not None:
        reach = real(run.projection) * context.length(row)
    match run.loss:
        case "logistic":
            return ONE if reach is None else (-reach).logistic()
        case "softmax":
            return real(2).sqrt()
        case "ridge":
            return None if reach is None else reach + target
        case "huber" if run.threshold is not None:
            kink = real(run.threshold)
            return kink if reach is None else lesser(kink, reach + target)
    return None


def gradient_bound(context: Context, row: int, ball: bool) -> Interval:
    """The largest norm of that row's gradient, clipped if it is; ``ball``: in the projection's alone."""
    return context.once(("gradient", row, ball), lambda: _gradient_bound(context, row, ball))


def _gradient_bound(context: Context, row: int, ball: bool) -> Interval:
    run = context.run
    slope = slope_bound(run, context, row, ball)
    clip = None if run.clip is None else real(run.clip.norm)
    loss = None if slope is None or (run.clip and run.clip.inside) else slope * context.length(row)
    if loss is None or clip is None:
        found = clip if loss is None else loss
        if found is None:
            raise Refused("no bound on the gradients: no clip, no bounded slope")
        return found
    return lesser(loss, clip)


def all_of(found: list[Statement], kind: type[S]) -> list[S]:
    """Premises, all of one kind."""
    listed = [x for x in found if isinstance(x, kind)]
    need(len(listed) == len(found), f"needs lines that state {kind.__name__} here")
    return listed


def first_of(found: list[Statement], kind: type[S], alone: bool = True) -> S:
    """The first premise, of that kind, and the only one."""
    need(
        len(found) >= 1 and (not alone or len(found) == 1), f"needs one line that states {kind.__name__}"
    )
    if not isinstance(found[0], kind):
        raise Refused(f"needs a line that states {kind.__name__} first")
    return found[0]
