"""What the implementation behind an audit is held to: the exact law of its models, or its steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.conformance import steps
from certaudit.audit.conformance.models import Law, conform
from certaudit.audit.conformance.recorder import record
from certaudit.audit.conformance.result import ConformanceReport
from certaudit.audit.shadows.train import ShadowError, Shadows, Trainer, train
from certaudit.audit.statistics.results import AuditReport
from certaudit.run import WORLDS, Run, World

Floats = NDArray[np.float64]

MOST_SHADOWS = 256
"""Most models of each world that are compared with the exact law."""

MOST_STEPS = 5000
"""Most steps of a world of which a trace is recorded."""

FOREIGN = "the exact law is not known; record a trace of the code for `certaudit conform`"


def conformance(
    run: Run, law: Law | None, report: AuditReport, foreign: Trainer | None
) -> ConformanceReport:
    """The first of the audit's shadows against their exact law, where it is known.

    Where it is not, a trace of each world of the built-in dynamics against the spec.  Either way an
    honest implementation differs with probability at most 1 - the audit's confidence.
    """
    level = 1 - report.confidence
    if foreign is None and report.broken:
        return ConformanceReport(level, 0, (), skipped="the shadows could not be trained")
    if law is None:
        if foreign is not None:
            return ConformanceReport(level, 0, (), skipped=FOREIGN)
        return _steps(run, report.seed, level)
    return _models(run, law, report, foreign)


def _models(run: Run, law: Law, report: AuditReport, foreign: Trainer | None) -> ConformanceReport:
    def built_in(part: Run, world: World, first: int, count: int) -> Shadows:
        return train(part, world, count, first=first, seed=report.seed, dtype=report.dtype)

    level, most = 1 - report.confidence, report.shadows if foreign is None else report.trained
    count = min(most, MOST_SHADOWS)
    trainer = built_in if foreign is None else foreign
    models: dict[World, Floats] = {world: np.zeros((0, run.shown)) for world in WORLDS}
    for world in WORLDS if count else ():
        try:
            models[world] = trainer(run, world, 0, count).final
        except ShadowError as error:
            return ConformanceReport(level, 0, (), skipped=str(error))
    sizes = {one.shape[1] for one in models.values()}
    if sizes != {run.shown}:
        text = f"the code returns {max(sizes)} parameters, the spec's model has {run.shown}"
        return ConformanceReport(level, count, (), skipped=text)
    last = slice(run.shown - run.parameters, None)
    return conform({world: one[:, last] for world, one in models.items()}, law, level)


def _steps(run: Run, seed: int, level: float) -> ConformanceReport:
    counts = [sum(segment.phase.steps for segment in run.program(world)) for world in WORLDS]
    if max(counts) > MOST_STEPS:
        text = f"the exact law is not known, and no trace is recorded of more than {MOST_STEPS} steps"
        return ConformanceReport(level, 0, (), skipped=text)
    found = [
        steps.conform(record(run, world, seed=seed), run, world, level / len(WORLDS)) for world in WORLDS
    ]
    made = f"a trace of each world ({counts[0]} and {counts[1]} steps) against the spec"
    return steps.together(found, made)
