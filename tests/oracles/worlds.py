"""What worlds P and Q do, step after step, from the plain fields of a run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from certaudit.run import Phase, Run


@dataclass(frozen=True)
class Step:
    """w <- Proj(w - size * gradient + noise): the gradient sums ``rows`` and divides by ``divisor``."""

    rows: tuple[int, ...]
    divisor: int
    size: Fraction
    variance: Fraction


def steps(run: Run, world: str) -> tuple[Step, ...]:
    """Every step of a world, in order."""
    return tuple(step for phase, gone in _program(run, world) for step in _phase(run, phase, gone))


def _program(run: Run, world: str) -> Iterator[tuple[Phase, frozenset[int]]]:
    everyone = frozenset(row for request in run.requests for row in request.rows)
    if world == "P":
        yield run.learn, frozenset()
    else:
        yield replace(run.learn, steps=run.reference.steps), everyone
        if run.reference.kind == "retrained":
            return
    gone: frozenset[int] = frozenset()
    for request in run.requests:
        gone |= frozenset(request.rows)
        if world == "P":
            yield request.unlearn, gone
        elif run.reference.unlearn_variance is None:
            yield request.unlearn, everyone
        else:
            yield replace(request.unlearn, noise_variance=run.reference.unlearn_variance), everyone


def _phase(run: Run, phase: Phase, gone: frozenset[int]) -> Iterator[Step]:
    batches = phase.batches or (tuple(range(len(run.X))),)
    for t in range(phase.steps):
        batch = batches[t % len(batches)]
        rows = tuple(row for row in batch if row not in gone)
        divisor = {"fixed": len(batch), "current": max(len(rows), 1), "sum": 1}[run.normalizer]
        yield Step(rows, divisor, phase.step_size, phase.noise_variance)


def output_variance(run: Run, world: str) -> Fraction:
    """Variance of the noise on a world's released model."""
    other = run.reference.output_variance
    return run.output_variance if world == "P" or other is None else other


def shown_first(run: Run) -> Run:
    """The run itself, or, where the learned model is shown too, the one that ends there."""
    if run.release != "before-and-after":
        return run
    idle = tuple(replace(r, unlearn=replace(r.unlearn, steps=0)) for r in run.requests)
    return replace(run, requests=idle)


def stopped(run: Run, after: int | None) -> Run:
    """The run that releases its model after so many requests (None: after all)."""
    return run if after is None else replace(run, requests=run.requests[:after])
