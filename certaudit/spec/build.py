"""From a loaded spec to the run and the claims, both plain exact data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from certaudit.claims import (
    BOTH,
    Claim,
    Direction,
    EpsilonDelta,
    GaussianClaim,
    RenyiClaim,
    SensitivityClaim,
)
from certaudit.data.errors import DataError
from certaudit.data.preprocess import preprocess
from certaudit.data.sources import load_table
from certaudit.data.table import Floats
from certaudit.errors import Diagnostic, InputError
from certaudit.run import Clip, Phase, Reference, Run, Start
from certaudit.spec.document import gather
from certaudit.spec.load import LoadedSpec
from certaudit.spec.model import (
    ClaimSpec,
    DataSpec,
    EpsilonDeltaSpec,
    GaussianSpec,
    GaussianStart,
    LearnSpec,
    Noise,
    PartialClip,
    PointStart,
    RenyiSpec,
    RetrainedReference,
    Spec,
    UnlearnSpec,
)


@dataclass(frozen=True, eq=False)
class Built:
    """A run and the SHA-256 (hexadecimal) of the source its data came from."""

    run: Run
    data_sha256: str


def build_run(loaded: LoadedSpec) -> Run:
    """Load the data and return the run; see ``build``."""
    return build(loaded).run


def build(loaded: LoadedSpec) -> Built:
    """Load and preprocess the data and return the run with exact numbers.

    Raises:
        InputError: if the data cannot be used, or the spec does not fit them.
    """
    spec = loaded.spec
    data = spec.data
    try:
        table = load_table(
            data.source,
            loaded.path.parent,
            target_column=data.target_column,
            text_target=data.positive is not None,
            sha256=data.sha256,
        )
    except DataError as error:
        raise InputError([loaded.problem(error.message, "data", error.field)]) from None
    n, d = table.X.shape
    problems = [*_forget_faults(loaded, n), *_start_faults(loaded, d)]
    try:
        X, y = preprocess(
            table,
            columns=data.columns,
            rows=data.rows,
            target=data.target,
            positive=data.positive,
        )
        problems += _label_faults(loaded, y)
    except DataError as error:
        problems.append(loaded.problem(error.message, "data", error.field))
    if problems:
        raise InputError(gather(problems))
    run = Run(
        X=X,
        y=y,
        loss=spec.model.loss,
        l2=spec.model.l2,
        normalizer=spec.model.normalizer,
        learn=_phase(spec.learn),
        unlearn=_phase(spec.unlearn),
        start=_start(spec.learn, d),
        projection=spec.learn.projection,
        clip=_clip(spec.learn),
        forget=tuple(sorted(spec.forget)),
        reference=_reference(spec),
        release=spec.release,
        assumptions=_assumptions(data),
    )
    return Built(run, table.sha256)


def build_claims(loaded: LoadedSpec) -> tuple[Claim, ...]:
    """Return the claims in the order of the spec."""
    return tuple(_claim(claim) for claim in loaded.spec.claims)


def _claim(spec: ClaimSpec) -> Claim:
    if isinstance(spec, EpsilonDeltaSpec):
        return EpsilonDelta(spec.id, spec.epsilon, spec.delta, _directions(spec.direction), spec.theorem)
    if isinstance(spec, RenyiSpec):
        return RenyiClaim(spec.id, spec.order, spec.renyi, _directions(spec.direction), spec.theorem)
    if isinstance(spec, GaussianSpec):
        return GaussianClaim(spec.id, spec.mu, spec.delta, _directions(spec.direction), spec.theorem)
    return SensitivityClaim(spec.id, spec.step, spec.sensitivity, spec.probability, spec.theorem)


def _directions(name: str) -> tuple[Direction, ...]:
    return tuple(direction for direction in BOTH if name in ("both", direction))


def _phase(spec: UnlearnSpec) -> Phase:
    return Phase(spec.steps, spec.step_size, _variance(spec.noise, spec.step_size))


def _variance(noise: Noise, step_size: Fraction) -> Fraction:
    """Return the variance added to every coordinate in one step, whatever the convention."""
    if noise.std is not None:
        return noise.std**2
    if noise.langevin_sigma is not None:
        return 2 * step_size * noise.langevin_sigma**2
    if noise.inverse_temperature is not None:
        return 2 * step_size / noise.inverse_temperature
    raise AssertionError("the model lets no noise without a convention pass")


def _start(spec: LearnSpec, d: int) -> Start:
    start = spec.start
    if isinstance(start, PointStart):
        return Start(start.point, Fraction(0))
    if isinstance(start, GaussianStart):
        law = start.gaussian
        mean = law.mean if isinstance(law.mean, tuple) else (law.mean,) * d
        return Start(mean, law.std**2)
    return Start((Fraction(0),) * d, Fraction(0))


def _clip(spec: LearnSpec) -> Clip | None:
    if isinstance(spec.clip, PartialClip):
        return Clip(spec.clip.norm, spec.clip.regularizer)
    return None if spec.clip is None else Clip(spec.clip, regularizer=False)


def _reference(spec: Spec) -> Reference:
    if isinstance(spec.reference, RetrainedReference):
        return Reference("retrained", spec.reference.retrained.steps)
    return Reference(spec.reference, spec.learn.steps)


def _forget_faults(loaded: LoadedSpec, n: int) -> list[Diagnostic]:
    problems = [
        loaded.problem(f"row {row} is outside the data, which has {n} rows (0 to {n - 1})", "forget", k)
        for k, row in enumerate(loaded.spec.forget)
        if row >= n
    ]
    if not problems and len(loaded.spec.forget) == n:
        problems.append(loaded.problem(f"all {n} rows are forgotten: no data remain", "forget"))
    return problems


def _start_faults(loaded: LoadedSpec, d: int) -> list[Diagnostic]:
    start = loaded.spec.learn.start
    place: tuple[str, ...]
    if isinstance(start, PointStart):
        point, place = start.point, ("learn", "start", "point")
    elif isinstance(start, GaussianStart) and isinstance(start.gaussian.mean, tuple):
        point, place = start.gaussian.mean, ("learn", "start", "gaussian", "mean")
    else:
        return []
    if len(point) == d:
        return []
    message = f"has {len(point)} numbers, the data have {d} feature columns"
    return [loaded.problem(message, *place)]


def _label_faults(loaded: LoadedSpec, y: Floats) -> list[Diagnostic]:
    if loaded.spec.model.loss != "logistic":
        return []
    strange = np.flatnonzero(np.abs(y) != 1.0)
    if not len(strange):
        return []
    message = (
        f"logistic loss needs labels -1 and +1, row {strange[0]} has {y[strange[0]]:g}: "
        "name the label that becomes +1 with `positive`"
    )
    return [loaded.problem(message, "data", "positive")]


def _assumptions(data: DataSpec) -> tuple[str, ...]:
    sentences = [
        "the data are the float64 numbers after preprocessing, taken as exact; the issuer's run did "
        "what this spec says, in exact arithmetic and with exactly Gaussian noise"
    ]
    statistics = []
    if data.target == "unit":
        statistics.append("target centre and scale")
    if data.columns == "standard" or data.source == "sklearn:diabetes":
        statistics.append("column means and scales")
    if statistics:
        sentences.append(
            f"the preprocessing statistics ({'; '.join(statistics)}) were computed with the "
            "forgotten rows included and are taken as public"
        )
    return tuple(sentences)
