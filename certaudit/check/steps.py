"""The steps of the two worlds side by side, and how large one example's gradient can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from gmpy2 import mpq

from .document import count
from .interval import BITS, ONE, Interval, lesser, precision, real
from .matrix import Matrix, matrix
from .refusal import Refused, need, spend
from .run import MOST_STEPS, Run, Step, optional
from .statement import Statement

S = TypeVar("S", bound=Statement)
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Match:
    """``count`` equal steps of P beside as many of Q."""

    count: int
    p: Step
    q: Step

    @cached_property
    def removed(self) -> tuple[int, ...]:
        """Rows of P's batch that Q's lacks, in order."""
        return tuple(sorted(self.q.batch.removed - self.p.batch.removed))

    @cached_property
    def alike(self) -> bool:
        """Whether the maps differ by the removed rows alone."""
        return self.p.size == self.q.size and self.p.batch.members == self.q.batch.members

    def step(self, world: str) -> Step:
        """That world's step."""
        return self.p if world == "P" else self.q


@dataclass(frozen=True)
class Context:
    """What every rule may look at, and what rules have computed of it already."""

    run: Run
    memory: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """The value of that key, computed the first time."""
        if key not in self.memory:
            self.memory[key] = compute()
        return self.memory[key]

    def table(self, rows: tuple[int, ...]) -> Matrix:
        """Those rows of X."""
        listed = self.run.data.rows
        with precision(BITS):
            full: Matrix = self.once("table", lambda: matrix(listed))
            if full.error.is_zero():
                return Matrix(tuple(full.rows[j] for j in rows), full.exponent)
            return matrix([listed[j] for j in rows])

    def length(self, row: int) -> Interval:
        """|x_j|."""
        exact = sum(x * x for x in self.run.data.rows[row])
        found: Interval = self.once(("length", row), lambda: real(mpq(exact)).sqrt())
        return found


def matched(context: Context, last: int | None = None) -> list[Match]:
    """All steps of both worlds, or the last ones that both end with."""
    found: list[Match] = context.once(("matched", last), lambda: _matched(context.run, last))
    return found


def _matched(run: Run, last: int | None) -> list[Match]:
    schedules = {}
    for world in ("P", "Q"):
        listed = [pair for segment in run.program(world) for pair in segment.schedule()]
        total = sum(times for times, _ in listed)
        if last is not None:
            need(run.projection is not None, "a restart needs a projection")
            need(total > last, f"a restart needs an earlier step in world {world}")
            listed = _ending(listed, total - last)
        schedules[world] = listed
    totals = [sum(times for times, _ in schedules[world]) for world in schedules]
    need(totals[0] == totals[1], f"the worlds take {totals[0]} and {totals[1]} steps")
    return [Match(*three) for three in zipped(schedules["P"], schedules["Q"])]


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
    spend(2 * (len(left) + len(right)))
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


def expanded(matches: list[Match]) -> list[Match]:
    """Step by step up to the last that removes a row."""
    ends = [i for i, match in enumerate(matches) if match.removed]
    kept = matches[: ends[-1] + 1] if ends else []
    need(
        sum(match.count for match in kept) <= MOST_STEPS // 10,
        "too many steps before the last removed row",
    )
    return [match for match in kept for _ in range(match.count)]


def confined(run: Run, last: int | None) -> bool:
    """Whether every iterate is known to lie in the ball of the projection."""
    if run.projection is None:
        return False
    inside = run.variance == 0 and sum(x * x for x in run.mean) <= run.projection**2
    return last is not None or bool(inside)


def slope_bound(run: Run, context: Context, row: int, ball: bool) -> Interval | None:
    """sup |loss'| of that row's margin, over the ball or everywhere; None: no bound."""
    reach, target = None, real(abs(run.data.targets[row]))
    if ball and run.projection is not None:
        reach = real(run.projection) * context.length(row)
    match run.loss:
        case "logistic":
            return ONE if reach is None else ONE / (ONE + (-reach).exp())
        case "softmax":
            return real(2).sqrt()
        case "ridge":
            return None if reach is None else reach + target
        case "huber" if run.threshold is not None:
            kink = real(run.threshold)
            return kink if reach is None else lesser(kink, reach + target)
    return None


def gradient_bound(context: Context, row: int, last: int | None) -> Interval:
    """The largest norm of that row's gradient, clipped if it is."""
    run = context.run
    slope = slope_bound(run, context, row, confined(run, last))
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
