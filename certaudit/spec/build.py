"""From a loaded spec to the run and the claims, both plain exact data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from certaudit.claims import (
    BOTH,
    Claim,
    Direction,
)
from certaudit.data.errors import DataError
from certaudit.data.identifiers import looks_like_ids
from certaudit.data.preprocess import preprocess
from certaudit.data.sources import load_table
from certaudit.data.words import shown
from certaudit.errors import Diagnostic, InputError
from certaudit.losses import LOSSES
from certaudit.run import Clip, Network, Phase, Reference, Request, Run, Start
from certaudit.spec.document import gather
from certaudit.spec.faults import (
    batch_faults,
    class_faults,
    forget_faults,
    image_faults,
    sign_faults,
    size_faults,
    start_faults,
)
from certaudit.spec.load import LoadedSpec
from certaudit.spec.model import (
    Batches,
    ClaimSpec,
    CyclicBatches,
    DataSpec,
    GaussianStart,
    LearnSpec,
    NetworkSpec,
    Noise,
    OutputNoise,
    PartialClip,
    PointStart,
    RetrainedReference,
    Spec,
    StageSpec,
    UnlearnRetrainedReference,
    UnlearnSpec,
)
from certaudit.spec.subjects import Subject, look_alikes, subjects

FRESH_DRAWS = (
    "models that the code makes with different seeds are independent draws of one law for each world; "
    "the code under audit is the code that is used"
)

Rows: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Built:
    """A run and the SHA-256 (hexadecimal) of the source its data came from.

    ``subjects``: those that each request forgets, none where the spec lists rows.  ``several``: how many
    subjects of the data have more than one row.  ``warnings``: what may not be meant.
    """

    run: Run
    data_sha256: str
    subjects: tuple[tuple[Subject, ...], ...]
    several: int
    warnings: tuple[Diagnostic, ...]


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
            text_target=data.positive is not None or not LOSSES[spec.model.loss].margin,
            sha256=data.sha256,
            id_column=data.id_column,
        )
    except DataError as error:
        raise InputError([loaded.problem(error.message, "data", error.field)]) from None
    n, d = table.X.shape
    size = parameters(loaded.spec, d)
    forgotten, strange = subjects(loaded, table.ids)
    problems = [
        *strange,
        *forget_faults(loaded, n, forgotten),
        *batch_faults(loaded, n),
        *image_faults(loaded, d),
        *size_faults(loaded, size),
        *start_faults(loaded, d, size),
    ]
    if labels := class_faults(loaded, table):
        raise InputError(gather([*problems, *labels]))
    try:
        X, y = preprocess(
            table,
            columns=data.columns,
            rows=data.rows,
            target=data.target,
            positive=data.positive,
        )
        problems += sign_faults(loaded, y)
    except DataError as error:
        problems.append(loaded.problem(error.message, "data", error.field))
    if problems:
        raise InputError(gather(problems))
    learn = _phase(spec.learn, _batches(spec.learn.batches, n))
    run = Run(
        X=X,
        y=y,
        loss=spec.model.loss if spec.model.network is None else "network",
        l2=spec.model.l2,
        normalizer=spec.model.normalizer,
        learn=learn,
        requests=tuple(
            _request(stage, whose, learn.batches, n)
            for stage, whose in zip(spec.stages, forgotten, strict=True)
        ),
        start=_start(spec.learn, size),
        projection=spec.learn.projection,
        clip=_clip(spec.learn),
        reference=_reference(spec),
        release=spec.release,
        output_variance=_output_variance(spec.output_noise) or Fraction(0),
        threshold=spec.model.threshold,
        classes=spec.model.classes or 1,
        network=_network(spec.model.network),
        assumptions=_assumptions(data) if spec.stated else (FRESH_DRAWS, *_assumptions(data)[1:]),
    )
    warnings = [
        *(loaded.problem(text, "data", "source") for text in looks_like_ids(table)),
        *(loaded.problem(text, "forget") for text in look_alikes(forgotten, table.ids)),
    ]
    several = 0 if table.ids is None else sum(len(rows) > 1 for rows in table.ids.rows.values())
    return Built(run, table.sha256, forgotten, several, tuple(warnings))


def parameters(spec: Spec, features: int) -> int:
    """Number of parameters of the spec's model."""
    network, classes = _network(spec.model.network), spec.model.classes or 1
    return features * classes if network is None else network.parameters(features, classes)


def _network(spec: NetworkSpec | None) -> Network | None:
    if spec is None:
        return None
    if spec.mlp is not None:
        return Network("mlp", spec.mlp.hidden, spec.mlp.activation)
    assert spec.cnn is not None
    cnn = spec.cnn
    return Network("cnn", cnn.channels, cnn.activation, cnn.image, cnn.kernel)


def build_claims(loaded: LoadedSpec) -> tuple[Claim, ...]:
    """Return the claims in the order of the spec."""
    return tuple(_claim(claim) for claim in loaded.spec.claims)


def _claim(spec: ClaimSpec) -> Claim:
    fields: dict[str, Any] = {name: getattr(spec, name) for name in type(spec).model_fields}
    if "direction" in fields:
        fields["directions"] = _directions(fields.pop("direction"))
    claim: Claim = spec.claim(**fields)
    return claim


def _directions(name: str) -> tuple[Direction, ...]:
    return tuple(direction for direction in BOTH if name in ("both", direction))


def _request(spec: StageSpec, whose: Sequence[Subject], default: Rows, n: int) -> Request:
    own = spec.unlearn.batches
    batches = default if own is None else _batches(own, n)
    rows = [*(spec.rows or ()), *(row for one in whose for row in one.rows)]
    return Request(tuple(sorted(rows)), _phase(spec.unlearn, batches))


def _phase(spec: LearnSpec | UnlearnSpec, batches: Rows) -> Phase:
    return Phase(spec.steps, spec.step_size, _variance(spec.noise, spec.step_size), batches)


def _batches(spec: Batches, n: int) -> Rows:
    """Return the batches of one cycle, each sorted; none if one batch holds all rows."""
    if not isinstance(spec, CyclicBatches) or spec.cyclic.size >= n:
        return ()
    size = spec.cyclic.size
    order = range(n) if spec.cyclic.order is None else spec.cyclic.order
    return tuple(tuple(sorted(order[k : k + size])) for k in range(0, n, size))


def _variance(noise: Noise, step_size: Fraction) -> Fraction:
    """Return the variance added to every coordinate in one step, whatever the convention."""
    if noise.std is not None:
        return noise.std**2
    if noise.langevin_sigma is not None:
        return 2 * step_size * noise.langevin_sigma**2
    if noise.inverse_temperature is not None:
        return 2 * step_size / noise.inverse_temperature
    raise AssertionError("the model lets no noise without a convention pass")


def _output_variance(noise: OutputNoise | None) -> Fraction | None:
    return None if noise is None else noise.std**2


def _start(spec: LearnSpec, parameters: int) -> Start:
    start = spec.start
    if isinstance(start, PointStart):
        return Start(start.point, Fraction(0))
    if isinstance(start, GaussianStart):
        law = start.gaussian
        mean = law.mean if isinstance(law.mean, tuple) else (law.mean,) * parameters
        return Start(mean, law.std**2)
    return Start((Fraction(0),) * parameters, Fraction(0))


def _clip(spec: LearnSpec) -> Clip | None:
    if isinstance(spec.clip, PartialClip):
        return Clip(spec.clip.norm, spec.clip.regularizer)
    return None if spec.clip is None else Clip(spec.clip, regularizer=False)


def _reference(spec: Spec) -> Reference:
    if isinstance(spec.reference, RetrainedReference):
        retrained = spec.reference.retrained
        return Reference(
            "retrained",
            retrained.steps or spec.learn.steps,
            output_variance=_output_variance(retrained.output_noise),
        )
    if isinstance(spec.reference, UnlearnRetrainedReference):
        other = spec.reference.unlearn_retrained
        step_size = spec.stages[0].unlearn.step_size
        return Reference(
            "unlearn-retrained",
            spec.learn.steps,
            None if other.noise is None else _variance(other.noise, step_size),
            _output_variance(other.output_noise),
        )
    return Reference(spec.reference, spec.learn.steps)


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
    if data.id_column is not None:
        sentences.append(
            f"column {shown(data.id_column)!r} says whose each row is: rows of a subject under another "
            "id are not forgotten"
        )
    if statistics:
        sentences.append(
            f"the preprocessing statistics ({'; '.join(statistics)}) were computed with the "
            "forgotten rows included and are taken as public"
        )
    return tuple(sentences)
