"""What the implementation behind an audit is held to: the exact law of its models, certaudit's own
models of the same spec, or, for certaudit's own dynamics, its steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.conformance import against_own, own, steps
from certaudit.audit.conformance import models as by_law
from certaudit.audit.conformance.looks import Look, sequential
from certaudit.audit.conformance.models import Law
from certaudit.audit.conformance.recorder import record
from certaudit.audit.conformance.result import Check, ConformanceReport, not_checked
from certaudit.audit.conformance.whitening import IllConditioned, whiten
from certaudit.audit.shadows.train import ShadowError, Shadows, Trainer, train
from certaudit.audit.statistics.results import AuditReport
from certaudit.run import WORLDS, Run, World

Floats = NDArray[np.float64]
Models = dict[World, Floats]

MOST_STEPS = 5000
"""Most steps of a world of which a trace is recorded."""


def conformance(
    run: Run, law: Law | None, report: AuditReport, foreign: Trainer | None, level: float
) -> ConformanceReport:
    """All the models of the audit against their exact law, where it is known and fit to be used.

    Where it is not, models of foreign code against models of certaudit's own dynamics for the same spec,
    and a trace of each world of the built-in dynamics against the spec.  Either way an honest
    implementation differs with probability at most ``level``, whatever made the audit stop.
    """
    usable = law is not None and _usable(law)
    if foreign is None and report.broken:
        return not_checked(level, "the shadows could not be trained")
    if foreign is None and not usable:
        return _steps(run, report.seed, level)
    try:
        made = _made(run, report, foreign)
    except ShadowError as error:
        return not_checked(level, str(error))
    count = min(len(models) for models in made.values())
    if not count:
        return not_checked(level, "no model of the code was finished in both worlds")
    sizes = {one.shape[1] for one in made.values()}
    if sizes != {run.shown}:
        return _another_size(sizes, run, count, level)
    budget = report.shadows
    if usable:
        last = slice(run.shown - run.parameters, None)
        final = {world: models[:, last] for world, models in made.items()}
        return sequential(
            count, budget, level, lambda look: by_law.conform(_first(final, look), law, look.level)
        )
    try:
        ours = own.models(run, own.TIMES * count, report.seed, report.dtype)
        score = own.direction(run, report.seed)
    except ShadowError as error:
        return not_checked(level, f"certaudit's own models of this spec could not be trained: {error}")

    def compare(look: Look) -> ConformanceReport:
        beside = Look(own.TIMES * look.models, look.level)
        return against_own.conform(
            _first(made, look), _first(ours, beside), score, look.level, report.seed
        )

    return sequential(count, budget, level, compare)


def _usable(law: Law) -> bool:
    """Whether numbers can be whitened by both worlds' laws."""
    try:
        for mean, covariance in (law[:2], law[2:]):
            whiten(mean[None, :], mean, covariance)
    except IllConditioned:
        return False
    return True


def _first(made: Models, look: Look) -> Models:
    return {world: models[: look.models] for world, models in made.items()}


def _made(run: Run, report: AuditReport, foreign: Trainer | None) -> Models:
    """The audit's models of both worlds; the whole budget where it had no use for any."""

    def built_in(part: Run, world: World, first: int, count: int) -> Shadows:
        return train(part, world, count, first=first, seed=report.seed, dtype=report.dtype)

    trainer = built_in if foreign is None else foreign
    count = report.trained or (0 if report.broken else report.shadows)
    if not count:
        return {world: np.zeros((0, run.shown)) for world in WORLDS}
    return {world: trainer(run, world, 0, count).final for world in WORLDS}


def _another_size(sizes: set[int], run: Run, count: int, level: float) -> ConformanceReport:
    """The models cannot be compared number by number, and are not the spec's."""
    other = max(sizes - {run.shown})
    text = f"the code returns {other} parameters, the spec's model has {run.shown}"
    check = Check("parameters", "both worlds", float(other), 0.0, 0.0, text, count)
    compared = f"{count} models of each world against the spec"
    return ConformanceReport(level, count, (check,), compared=compared)


def _steps(run: Run, seed: int, level: float) -> ConformanceReport:
    counts = [sum(segment.phase.steps for segment in run.program(world)) for world in WORLDS]
    if max(counts) > MOST_STEPS:
        text = f"the exact law is not known, and no trace is recorded of more than {MOST_STEPS} steps"
        return not_checked(level, text)
    found = [
        steps.conform(record(run, world, seed=seed), run, world, level / len(WORLDS)) for world in WORLDS
    ]
    made = f"a trace of each world ({counts[0]} and {counts[1]} steps) against the spec"
    return replace(steps.together(found, made), level=level)
