"""The steps of worlds P and Q side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

from certaudit.core.rule import NotApplicable
from certaudit.run import WORLDS, Batch, Run, Steps, World

MOST_BLOCKS = 20000


@dataclass(frozen=True)
class Pair:
    """``count`` consecutive steps that both worlds take: P on the batch ``first``, Q on ``second``,
    with one step size and one noise."""

    count: int
    step_size: Fraction
    noise_variance: Fraction
    first: Batch
    second: Batch

    def batch(self, world: World) -> Batch:
        """The batch of one world."""
        return self.first if world == "P" else self.second

    def removed(self, run: Run) -> tuple[int, ...]:
        """Rows that P's batch holds and Q's does not."""
        kept = set(run.rows(self.second))
        return tuple(j for j in run.rows(self.first) if j not in kept)


def steps(rule: str, run: Run, world: World) -> list[Steps]:
    """A world's steps.  Raises NotApplicable beyond MOST_BLOCKS changes of the map."""
    found = list(islice(run.schedule(world), MOST_BLOCKS + 1))
    if len(found) > MOST_BLOCKS:
        raise NotApplicable(rule, f"not attempted: the map changes more than {MOST_BLOCKS} times")
    return found


def total(schedule: list[Steps]) -> int:
    """Number of steps."""
    return sum(one.count for one in schedule)


def from_start(rule: str, run: Run) -> tuple[Pair, ...]:
    """The steps from the first on that both worlds take alike, but for rows removed in Q alone."""
    return tuple(_zip(steps(rule, run, "P"), steps(rule, run, "Q")))


def active(rule: str, run: Run) -> tuple[Pair, ...]:
    """The steps of :func:`from_start` up to the last that removes a row."""
    pairs = from_start(rule, run)
    while pairs and pairs[-1].first == pairs[-1].second:
        pairs = pairs[:-1]
    return pairs


def whole(rule: str, run: Run) -> tuple[Pair, ...]:
    """Every step of both worlds; NotApplicable unless they take the same steps."""
    if run.output_noise("P") != run.output_noise("Q"):
        raise NotApplicable(rule, "the output noise of the reference is another")
    pairs = from_start(rule, run)
    count = sum(pair.count for pair in pairs)
    if any(count != total(steps(rule, run, world)) for world in WORLDS):
        reason = "the reference takes other steps, or other noise, so the two cannot be coupled"
        raise NotApplicable(rule, reason)
    return pairs


def last(rule: str, run: Run, count: int) -> tuple[Pair, ...]:
    """The last ``count`` >= 1 steps of both worlds; NotApplicable unless they are alike."""
    if count < 1:
        raise TypeError("a restart leaves at least one step")
    ends = [_tail(steps(rule, run, world), count) for world in WORLDS]
    pairs = tuple(_zip(*ends))
    if sum(pair.count for pair in pairs) != count:
        raise NotApplicable(rule, f"the last {count} steps of the two worlds differ")
    return pairs


def _tail(schedule: list[Steps], count: int) -> list[Steps]:
    kept: list[Steps] = []
    for one in reversed(schedule):
        if count <= 0:
            break
        kept.append(replace(one, count=min(one.count, count)))
        count -= one.count
    return kept[::-1]


def _zip(first: list[Steps], second: list[Steps]) -> Iterator[Pair]:
    p, q = iter(first), iter(second)
    one, two = next(p, None), next(q, None)
    while one and two and _alike(one, two):
        count = min(one.count, two.count)
        yield Pair(count, one.step_size, one.noise_variance, one.batch, two.batch)
        one = replace(one, count=one.count - count) if one.count > count else next(p, None)
        two = replace(two, count=two.count - count) if two.count > count else next(q, None)


def _alike(one: Steps, two: Steps) -> bool:
    """Whether the two steps differ at most by rows that Q's batch lacks and P's holds."""
    return (
        one.step_size == two.step_size
        and one.noise_variance == two.noise_variance
        and one.batch.members == two.batch.members
        and set(one.batch.removed) <= set(two.batch.removed)
    )
