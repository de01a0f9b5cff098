"""A recorded trace against the spec, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special

from certaudit.audit.conformance import nulls
from certaudit.audit.conformance.checks import Found, scale_words
from certaudit.audit.conformance.result import Check, ConformanceReport
from certaudit.audit.conformance.trace import Trace
from certaudit.audit.shadows.dynamics import gradient, project
from certaudit.run import Batch, Phase, Run, World

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Largest error of a step's arithmetic, relative to the numbers of that step."""


@dataclass(frozen=True)
class _Step:
    """One step as the spec has it."""

    phase: int
    of: Phase
    batch: Batch
    gone: tuple[int, ...]


def conform(trace: Trace, run: Run, world: World, level: float) -> ConformanceReport:
    """Compare a trace of one model with the spec of ``run``.

    Facts (counts, step sizes, batches, arithmetic, clip, projection) are compared; the noise is tested,
    an honest one being refused with probability at most ``level`` (Bonferroni).  Steps are compared as
    far as both the trace and the spec go.

    Raises:
        ValueError: if the trace has another number of parameters than the run.
    """
    if trace.steps and trace.before.shape[1] != run.parameters:
        raise ValueError(f"the trace has {trace.before.shape[1]} parameters, the run {run.parameters}")
    plan = list(_plan(run, world))
    facts = list(_facts(trace, run, world, plan))
    tests = list(_noise(trace, run, world))
    share = level / max(len(tests), 1)
    checks = [
        Check(f.name, f.where, f.statistic, f.p_value, threshold, f.meaning)
        for found, threshold in ((facts, 0.0), (tests, share))
        for f in found
    ]
    compared = f"a trace of world {world}, {trace.steps} steps, against the spec"
    return ConformanceReport(level, 1, tuple(checks), compared=compared)


def together(reports: Sequence[ConformanceReport], compared: str) -> ConformanceReport:
    """Several reports as one, at the sum of their levels."""
    checks = tuple(check for report in reports for check in report.checks)
    return ConformanceReport(sum(r.level for r in reports), 1, checks, compared=compared)


def _plan(run: Run, world: World) -> Iterator[_Step]:
    for index, segment in enumerate(run.program(world)):
        batches = segment.batches()
        for t in range(segment.phase.steps):
            yield _Step(index, segment.phase, batches[t % len(batches)], segment.removed)


def _fact(name: str, where: str, broken: int, meaning: str) -> Found:
    return Found(name, where, float(broken), float(broken == 0), meaning)


def _facts(trace: Trace, run: Run, world: World, plan: list[_Step]) -> Iterator[Found]:
    where = f"world {world}"
    for index, segment in enumerate(run.program(world)):
        made, asked = int((trace.phase == index).sum()), segment.phase.steps
        text = f"{made} steps were made, the spec asks for {asked}"
        yield _fact("steps", f"{where}, phase {index}", abs(made - asked), text)
    planned = len(run.program(world))
    strays = int(((trace.phase < 0) | (trace.phase >= planned)).sum())
    yield _fact("phases", where, strays, f"{strays} steps belong to no phase of the spec")
    # Step k of a phase is compared with step k of the spec's phase.
    asked_for = dict(_numbered([one.phase for one in plan]))
    pairs = [(t, plan[asked_for[key]]) for key, t in _numbered(trace.phase.tolist()) if key in asked_for]
    wrong = sum(not _close(trace.step_size[t], float(s.of.step_size)) for t, s in pairs)
    yield _fact("step size", where, wrong, f"{wrong} steps had another step size than the spec's")
    wrong = sum(sorted(trace.rows[t].tolist()) != sorted(run.rows(s.batch)) for t, s in pairs)
    yield _fact("batches", where, wrong, f"{wrong} steps summed other rows than the spec's batch")
    wrong = sum(bool(set(s.gone) & set(trace.rows[t].tolist())) for t, s in pairs)
    yield _fact("removed rows", where, wrong, f"{wrong} steps used a row after its deletion")
    breaks = int((trace.before[1:] != trace.after[:-1]).any(axis=1).sum())
    yield _fact("chain", where, breaks, f"{breaks} steps did not begin where the last one ended")
    if run.start.variance == 0 and trace.steps:
        mean = np.array([float(x) for x in run.start.mean])
        moved = int(not np.allclose(trace.before[0], mean, rtol=TOLERANCE, atol=TOLERANCE))
        yield _fact("start", where, moved, "training did not begin at the spec's point")
    errors = [_error(trace, t, s, run) for t, s in pairs]
    wrong = sum(not error <= TOLERANCE for error in errors)
    worst = max(errors, default=0.0)
    text = f"{wrong} steps are not the spec's arithmetic (largest relative error {worst:.2g})"
    yield _fact("arithmetic", where, wrong, text)
    yield from _limits(trace, run, where)


def _numbered(phases: list[int]) -> Iterator[tuple[tuple[int, int], int]]:
    """((phase, number of the step within it), step) of every step."""
    made: dict[int, int] = {}
    for t, phase in enumerate(phases):
        yield (phase, made.get(phase, 0)), t
        made[phase] = made.get(phase, 0) + 1


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= TOLERANCE * abs(b)


def _error(trace: Trace, t: int, step: _Step, run: Run) -> float:
    """Relative error of the recorded step against Proj(w - eta grad + noise)."""
    before = torch.from_numpy(trace.before[t : t + 1])
    slope = gradient(run, step.batch, torch.float64)(before).numpy()[0]
    eta = float(step.of.step_size)
    moved = trace.before[t] - eta * slope + trace.noise[t]
    radius = None if run.projection is None else float(run.projection)
    after = project(torch.from_numpy(moved[None]), radius).numpy()[0]
    sizes = [trace.before[t], eta * slope, trace.noise[t]]
    scale = max(float(np.linalg.norm(x)) for x in sizes)
    error = float(np.linalg.norm(after - trace.after[t]))
    return error / scale if scale > 0 else error


def _limits(trace: Trace, run: Run, where: str) -> Iterator[Found]:
    if run.clip is not None:
        largest = trace.largest_gradient
        over = int((~(largest <= float(run.clip.norm) * (1 + TOLERANCE))).sum())
        yield _fact("clip", where, over, f"{over} steps summed a gradient longer than the clip's norm")
    if run.projection is not None:
        radius = float(run.projection)
        other = sum(not _close(one, radius) for one in trace.radius)
        text = f"{other} steps projected onto another ball, or onto none"
        yield _fact("projection", where, other, text)
        outside = int((np.linalg.norm(trace.after, axis=1) > radius * (1 + TOLERANCE)).sum())
        yield _fact("within the ball", where, outside, f"{outside} iterates lie outside the ball")


def _noise(trace: Trace, run: Run, world: World) -> Iterator[Found]:
    """Size, law and independence of the noise of every phase."""
    drawn: list[Floats] = []
    for index, segment in enumerate(run.program(world)):
        noise, variance = trace.noise[trace.phase == index], segment.phase.noise_variance
        where = f"world {world}, phase {index}"
        if variance == 0:
            wrong = int((noise != 0).any(axis=1).sum())
            yield _fact("no noise", where, wrong, f"{wrong} steps had noise, the spec has none")
        elif noise.size:
            drawn.append(noise / float(variance) ** 0.5)
            yield from _normal(drawn[-1], where)
    if drawn:
        yield from _fresh(drawn, f"world {world}")


def _normal(z: Floats, where: str) -> Iterator[Found]:
    total = float((z**2).sum())
    text = scale_words(float(np.sqrt(total / z.size)))
    yield Found("noise scale", where, total, float(nulls.chi_square_both(total, z.size)), text)
    distance, p = nulls.kolmogorov(special.ndtr(z).reshape(-1, 1))
    yield Found("noise law", where, float(distance[0]), float(p[0]), "the noise is not Gaussian")
    largest, p_value = nulls.largest(z)
    text = f"the largest of {z.size} noise numbers is {largest:.3g} standard deviations"
    yield Found("largest noise", where, largest, p_value, text)
    if len(z) > 1:
        r, p_value = nulls.correlation(z[: len(z) - len(z) % 2 : 2], z[1::2])
        text = f"the noise of consecutive steps is correlated (r = {r:.2g})"
        yield Found("consecutive noise", where, r, p_value, text)


def _fresh(drawn: list[Floats], where: str) -> Iterator[Found]:
    joined = np.concatenate(drawn).ravel()
    again = joined.size - len(np.unique(joined))
    text = f"{again} noise numbers came more than once: numbers used again, or drawn too coarsely"
    yield _fact("fresh noise", where, again, text)
    for k, later in enumerate(drawn[1:], 1):
        steps = min(len(drawn[0]), len(later))
        r, p = nulls.correlation(drawn[0][:steps], later[:steps])
        text = f"the noise of phase {k} is correlated with that of learning (r = {r:.2g})"
        yield Found("noise of two phases", where, r, p, text)
