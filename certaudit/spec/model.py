"""The run spec as pydantic models; ``Spec.model_json_schema()`` is its JSON Schema.

Numbers are exact: ``Fraction``, or ``int`` for counts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, cast, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    Tag,
    WithJsonSchema,
    model_validator,
)

from certaudit.claims import (
    EpsilonDelta,
    GaussianClaim,
    RenyiClaim,
    SensitivityClaim,
    Theorem,
)
from certaudit.losses import LOSSES
from certaudit.run import Loss
from certaudit.spec.crosscheck import crosscheck
from certaudit.spec.fields import (
    ClaimId,
    Function,
    Index,
    Label,
    Line,
    NonNegative,
    Number,
    Positive,
    Probability,
    Real,
    Sentence,
    Sha256,
    Source,
    Steps,
    SubjectId,
    Version,
    fault,
)
from certaudit.spec.tags import (
    BATCHES,
    CLAIM,
    CLIP,
    CYCLIC,
    FORGET,
    GAUSSIAN_START,
    LIST,
    MEAN,
    NUMBER,
    PARTIAL_CLIP,
    POINT_START,
    REFERENCE,
    RETRAINED,
    ROWS,
    STAGES,
    START,
    SUBJECTS,
    UNLEARN_RETRAINED,
    WORD,
    claim_tag,
)

Direction: TypeAlias = Literal["both", "P|Q", "Q|P"]
MAX_STAGES = 1000


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSpec(_Part):
    """The data D = {(x_j, y_j)}, j = 0..n-1."""

    source: Annotated[
        Source,
        Field(
            description="sklearn:NAME, or npz:, csv: or parquet: and a file in the spec's folder; "
            "an npz holds arrays X (n, d) and y (n,)"
        ),
    ]
    rows: Annotated[
        Literal["none", "unit", "clip"],
        Field(description="feature rows x_j: unit scales each to norm 1, clip only those above 1"),
    ] = "none"
    target: Annotated[
        Literal["none", "unit"],
        Field(description="target y: unit centres it and scales its largest magnitude to 1"),
    ] = "none"
    columns: Annotated[
        Literal["none", "standard"],
        Field(description="feature columns: standard centres each and scales it to variance 1"),
    ] = "none"
    positive: Annotated[
        Label | None,
        Field(description="label of the positive class: y = +1 where it stands, -1 elsewhere"),
    ] = None
    target_column: Annotated[
        Line | None,
        Field(
            description="name of the target column of a csv or parquet file; default the last that is "
            "not the id column"
        ),
    ] = None
    id_column: Annotated[
        Line | None,
        Field(
            description="name of the column (in an npz, of the array) that says whose each row is; no "
            "feature, and forget lists ids then"
        ),
    ] = None
    sha256: Annotated[
        Sha256 | None, Field(description="SHA-256 the source's bytes must have, hexadecimal")
    ] = None


LOSSES_OF_SPECS = {name: LOSSES[name] for name in get_args(Loss) if name != "network"}


def _loss_name(value: object) -> str:
    if not isinstance(value, str) or value not in LOSSES_OF_SPECS:
        *others, last = map(repr, LOSSES_OF_SPECS)
        raise fault(f"must be {', '.join(others)} or {last}")
    return value


LossName: TypeAlias = Annotated[
    Loss, PlainValidator(_loss_name), WithJsonSchema({"enum": list(LOSSES_OF_SPECS), "type": "string"})
]


def _needed_by(loss: str, key: str) -> dict[str, Any]:
    """Return the JSON Schema that asks for ``key`` with this loss, and refuses it with others."""
    return {
        "if": {"properties": {"loss": {"const": loss}}, "required": ["loss"]},
        "then": {"properties": {key: {"not": {"type": "null"}}}, "required": [key]},
        "else": {"properties": {key: {"type": "null"}}},
    }


Width: TypeAlias = Annotated[int, Number(at_least=1, at_most=4096, whole=True)]
Side: TypeAlias = Annotated[int, Number(at_least=1, at_most=1024, whole=True)]
Activation: TypeAlias = Literal["tanh", "relu"]
MAX_LAYERS = 16


class Mlp(_Part):
    """Fully connected layers, each followed by the activation; one to the classes comes last."""

    hidden: Annotated[
        tuple[Width, ...], Field(min_length=1, max_length=MAX_LAYERS, description="units of each layer")
    ]
    activation: Annotated[Activation, Field(description="after every layer but the last")] = "tanh"


class Cnn(_Part):
    """Convolutions over a one-channel image without padding, each followed by the activation; a fully
    connected layer to the classes comes last."""

    image: Annotated[
        tuple[Side, Side],
        Field(description="rows and columns of the image that a feature row holds, row by row"),
    ]
    channels: Annotated[
        tuple[Width, ...],
        Field(min_length=1, max_length=MAX_LAYERS, description="channels of each convolution"),
    ]
    kernel: Annotated[Side, Field(description="rows and columns of each convolution's window")]
    activation: Annotated[Activation, Field(description="after every convolution")] = "relu"


class NetworkSpec(_Part):
    """A small network in place of W^T x, in exactly one form."""

    mlp: Annotated[Mlp | None, Field(description="a multilayer perceptron")] = None
    cnn: Annotated[Cnn | None, Field(description="a convolutional network")] = None

    @model_validator(mode="after")
    def _one_form(self) -> NetworkSpec:
        if (self.mlp is None) == (self.cnn is None):
            raise fault("must name one form of mlp, cnn")
        return self


class ModelSpec(_Part):
    """The objective F(w) = (1/N) sum_j loss(x_j.w, y_j) + (l2/2) |w|^2.

    With softmax u = W^T x_j has one number for every class; W (d, classes) is flattened row by row.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                _needed_by(name, loss.needs) for name, loss in LOSSES_OF_SPECS.items() if loss.needs
            ]
        }
    )

    loss: Annotated[
        LossName,
        Field(
            description="; ".join(
                f"{name}: {loss.formula}, labels {loss.labels}" for name, loss in LOSSES_OF_SPECS.items()
            )
        ),
    ]
    l2: Annotated[NonNegative, Field(description="regularization strength lambda")]
    normalizer: Annotated[
        Literal["fixed", "current", "sum"],
        Field(description="N: the batch's rows before any removal, its rows after it, or 1"),
    ]
    threshold: Annotated[
        Positive | None,
        Field(description="huber only: the magnitude of u-y where the loss turns linear"),
    ] = None
    classes: Annotated[
        Annotated[int, Number(at_least=2, at_most=1000, whole=True)] | None,
        Field(description="softmax only: number of classes"),
    ] = None
    network: Annotated[
        NetworkSpec | None,
        Field(
            description="softmax only: u is the outputs of this network, whose parameters are taken in "
            "the order of torch's state dict (weight, bias, layer by layer)"
        ),
    ] = None


class Noise(_Part):
    """Gaussian noise added to every coordinate in one step, in exactly one convention."""

    std: Annotated[
        NonNegative | None, Field(description="standard deviation sigma added in one step")
    ] = None
    langevin_sigma: Annotated[
        NonNegative | None,
        Field(description="s of Langevin noise: variance 2 step_size s^2 in one step"),
    ] = None
    inverse_temperature: Annotated[
        Positive | None,
        Field(description="inverse temperature beta: variance 2 step_size / beta in one step"),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _one_convention(cls, value: Any) -> Any:
        if isinstance(value, dict):
            given = [name for name in cls.model_fields if value.get(name) is not None]
            unknown = set(value) - set(cls.model_fields)
            if len(given) > 1:
                raise fault(f"names two noise conventions, {' and '.join(given)}: keep one")
            if not given and not unknown:
                raise fault(f"must name one noise convention of {', '.join(cls.model_fields)}")
        return value


class OutputNoise(_Part):
    """Gaussian noise added once to every coordinate of the released model."""

    std: Annotated[NonNegative, Field(description="standard deviation")]


class PointStart(_Part):
    """A start at one point."""

    point: Annotated[tuple[Real, ...], Field(description="w_0, a number for every parameter")]


class GaussianLaw(_Part):
    """A normal law N(mean, std^2 I)."""

    mean: Annotated[
        Annotated[Real, Tag(NUMBER)] | Annotated[tuple[Real, ...], Tag(LIST)],
        MEAN,
        Field(description="mean: a number for every parameter, or one for all of them"),
    ] = Fraction(0)
    std: Annotated[NonNegative, Field(description="standard deviation of every coordinate")]


class GaussianStart(_Part):
    """A start drawn from a normal law."""

    gaussian: GaussianLaw


class PartialClip(_Part):
    """Clipping of per-example gradients, with or without the l2 term inside."""

    norm: Annotated[Positive, Field(description="largest norm of a per-example gradient")]
    regularizer: Annotated[
        StrictBool,
        Field(description="true if the l2 term's gradient is inside what is clipped"),
    ]


class Cycle(_Part):
    """Batches taken in turn, cut from a fixed order of the rows; each phase begins with the first."""

    size: Annotated[
        Annotated[int, Number(at_least=1, at_most=10**9, whole=True)],
        Field(description="rows in a batch; the last of a cycle may have fewer"),
    ]
    order: Annotated[
        tuple[Index, ...] | None,
        Field(description="the order, every row once; default 0, 1, 2, ..."),
    ] = None


class CyclicBatches(_Part):
    """Mini-batches in a fixed cyclic order."""

    cyclic: Cycle


Batches: TypeAlias = Annotated[
    Annotated[Literal["full"], Tag(WORD)] | Annotated[CyclicBatches, Tag(CYCLIC)], BATCHES
]


class _Phase(_Part):
    steps: Annotated[Steps, Field(description="number of steps")]
    step_size: Annotated[Positive, Field(description="step size eta")]
    noise: Noise


class UnlearnSpec(_Phase):
    """An unlearning phase: noisy gradient steps on D without the points forgotten so far."""

    batches: Annotated[
        Batches | None,
        Field(description="rows used in one step; default as in the learning phase"),
    ] = None


class LearnSpec(_Phase):
    """The learning phase: noisy gradient steps on D."""

    start: Annotated[
        Annotated[Literal["zeros"], Tag(WORD)]
        | Annotated[PointStart, Tag(POINT_START)]
        | Annotated[GaussianStart, Tag(GAUSSIAN_START)],
        START,
        Field(description="law of the start w_0"),
    ] = "zeros"
    batches: Annotated[Batches, Field(description="rows used in one step: full is all of them")] = "full"
    projection: Annotated[
        Positive | None,
        Field(description="radius R of the ball about 0 that every iterate is projected onto"),
    ] = None
    clip: Annotated[
        Annotated[Annotated[Positive, Tag(NUMBER)] | Annotated[PartialClip, Tag(PARTIAL_CLIP)], CLIP]
        | None,
        Field(description="clipping of per-example gradients; a number clips the loss part only"),
    ] = None


def _one_of(*keys: str) -> ConfigDict:
    """Return the configuration whose JSON Schema asks for exactly one of the keys."""
    given = [{"properties": {key: {"not": {"type": "null"}}}, "required": [key]} for key in keys]
    return ConfigDict(json_schema_extra={"oneOf": cast(list[Any], given)})


class SubjectsSpec(_Part):
    """Those forgotten, with every row that data.id_column says is theirs: one of ids and ids_file."""

    model_config = _one_of("ids", "ids_file")

    ids: Annotated[
        Annotated[tuple[SubjectId, ...], Field(min_length=1)] | None,
        Field(
            description="ids of the subjects: text, or whole numbers; compared exactly as written",
        ),
    ] = None
    ids_file: Annotated[
        Line | None,
        Field(
            description="a file in the spec's folder: an id a line, or, where its name ends in .csv, a "
            "table with the id column"
        ),
    ] = None


class StageSpec(SubjectsSpec):
    """One deletion request of several, served in order: one of rows, ids and ids_file."""

    model_config = _one_of("rows", "ids", "ids_file")

    rows: Annotated[
        Annotated[tuple[Index, ...], Field(min_length=1)] | None,
        Field(description="rows of the points forgotten now, counted from 0"),
    ] = None
    unlearn: UnlearnSpec


_ReferenceOutputNoise: TypeAlias = Annotated[
    OutputNoise | None,
    Field(description="noise on the reference's released model; default as in the run"),
]


class Retrained(_Part):
    """How a retrained model differs from the run's learning phase."""

    steps: Annotated[
        Steps | None,
        Field(description="number of learning steps of the reference; default as in the run"),
    ] = None
    output_noise: _ReferenceOutputNoise = None


class RetrainedReference(_Part):
    """The learning phase alone, without the forgotten points."""

    retrained: Retrained


class UnlearnRetrained(_Part):
    """The noise of a reference that is another one than the run's."""

    noise: Annotated[
        Noise | None,
        Field(description="noise of the reference's unlearning steps; default as in the run"),
    ] = None
    output_noise: _ReferenceOutputNoise = None


class UnlearnRetrainedReference(_Part):
    """Learning and every unlearning phase, all without the forgotten points."""

    model_config = ConfigDict(serialize_by_alias=True)

    unlearn_retrained: Annotated[UnlearnRetrained, Field(alias="unlearn-retrained")]


class _ClaimPart(_Part):
    id: Annotated[ClaimId, Field(description="name of the claim, unique in the spec")]
    theorem: Annotated[Theorem | None, Field(description="theorem that the claim's issuer names")] = None


class _DirectedClaim(_ClaimPart):
    direction: Annotated[
        Direction, Field(description="which of the laws P, Q comes first; both claims both")
    ] = "both"
    after: Annotated[
        Annotated[int, Number(at_least=1, at_most=MAX_STAGES, whole=True)] | None,
        Field(description="the model released after this stage of forget, counted from 1; default all"),
    ] = None


class EpsilonDeltaSpec(_DirectedClaim):
    """P(S) <= e^epsilon Q(S) + delta for every event S."""

    claim: ClassVar = EpsilonDelta
    epsilon: Annotated[NonNegative, Field(description="epsilon, in nats")]
    delta: Annotated[Probability, Field(description="delta, a probability")]


class RenyiSpec(_DirectedClaim):
    """D_order(P|Q) <= renyi."""

    claim: ClassVar = RenyiClaim
    order: Annotated[
        Annotated[Fraction, Number(above=1)], Field(description="order alpha of the divergence")
    ]
    renyi: Annotated[NonNegative, Field(description="Rényi divergence, in nats")]


class GaussianSpec(_DirectedClaim):
    """mu-Gaussian differential privacy, up to delta."""

    claim: ClassVar = GaussianClaim
    mu: Annotated[NonNegative, Field(description="mu of Gaussian differential privacy")]
    delta: Annotated[Probability, Field(description="slack delta, a probability")] = Fraction(0)


class SensitivitySpec(_ClaimPart):
    """One step moves by at most this when the forgotten points are removed."""

    claim: ClassVar = SensitivityClaim
    step: Annotated[
        Annotated[int, Number(at_least=1, at_most=10**12, whole=True)],
        Field(description="step, counted from 1 through learning and then all unlearning"),
    ]
    sensitivity: Annotated[
        NonNegative, Field(description="norm of the difference of the step's two images")
    ]
    probability: Annotated[Probability, Field(description="probability that the difference is larger")]


ClaimSpec: TypeAlias = Annotated[
    Annotated[EpsilonDeltaSpec, Tag(claim_tag(EpsilonDelta))]
    | Annotated[RenyiSpec, Tag(claim_tag(RenyiClaim))]
    | Annotated[GaussianSpec, Tag(claim_tag(GaussianClaim))]
    | Annotated[SensitivitySpec, Tag(claim_tag(SensitivityClaim))],
    CLAIM,
]
CLAIM_SPECS = (EpsilonDeltaSpec, RenyiSpec, GaussianSpec, SensitivitySpec)


class ImplementationSpec(_Part):
    """Functions that make the models instead of the built-in dynamics; `audit --allow-code` runs them.

    They are looked for beside the spec first, then where Python finds its modules.
    """

    learn: Annotated[
        Function, Field(description="learn(X, y, seed) -> parameters: an array or a torch state dict")
    ]
    unlearn: Annotated[
        Function,
        Field(
            description="unlearn(parameters, X, y, forget, seed) -> parameters; forget lists rows of X"
        ),
    ]
    release: Annotated[
        Function | None,
        Field(
            description="release(parameters) -> what an observer gets of them, an array or a torch "
            "state dict; without it, all of them"
        ),
    ] = None


class Amounts(_Part):
    """One number for each quantity that a claim can bound; a quantity left out is not asked about."""

    epsilon: Annotated[NonNegative | None, Field(description="for epsilon-delta claims")] = None
    mu: Annotated[NonNegative | None, Field(description="for Gaussian DP")] = None
    renyi: Annotated[NonNegative | None, Field(description="for Rényi divergences")] = None
    probability: Annotated[
        NonNegative | None, Field(description="for the probability that a step's shift is exceeded")
    ] = None

    @model_validator(mode="after")
    def _something(self) -> Amounts:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise fault(f"must name one quantity of {', '.join(type(self).model_fields)}")
        return self


class PolicySpec(_Part):
    """What PASS requires beyond what it always does.  A key left out requires nothing."""

    power: Annotated[
        Amounts | None,
        Field(description="the smallest true value that the attack must have been able to see"),
    ] = None
    measured: Annotated[
        Amounts | None, Field(description="the largest lower bound that the attack may have measured")
    ] = None
    conformance: Annotated[
        Literal["required", "not-required"] | None,
        Field(
            description="whether an implementation must be named and compared with the spec; default: "
            "compared if one is named"
        ),
    ] = None
    delta: Annotated[
        Literal["below 1/n"] | None,
        Field(description="every claim's delta must be below 1/n, n the rows before any deletion"),
    ] = None
    theorem_premises: Annotated[
        Literal["required"] | None,
        Field(description="the run must keep every premise of the theorems that claims name"),
    ] = None
    assumptions: Annotated[
        tuple[Sentence, ...] | None,
        Field(
            description="all that may be assumed, as the report prints it; one that ends in ... is a "
            "sentence's beginning"
        ),
    ] = None

    @model_validator(mode="after")
    def _something(self) -> PolicySpec:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise fault(f"requires nothing: give one of {', '.join(type(self).model_fields)}")
        return self


class AuditSpec(_Part):
    """The statistical audit with shadow models."""

    shadows: Annotated[
        Annotated[int, Number(at_least=8, at_most=10**7, whole=True, even=True)],
        Field(description="number of shadow models in each world"),
    ] = 4000
    confidence: Annotated[
        Annotated[Fraction, Number(above=0, below=1)],
        Field(description="confidence of a statistical refutation"),
    ] = Fraction(95, 100)
    design: Annotated[
        Literal["sequential", "fixed"],
        Field(
            description="sequential: bet on shadows as they come and stop when every claim is refuted; "
            "fixed: train all, choose attacks on half of them and test on the other half"
        ),
    ] = "sequential"
    dtype: Annotated[
        Literal["float64", "float32"], Field(description="floating-point type of the shadows")
    ] = "float64"
    seed: Annotated[
        Annotated[int, Number(at_least=0, at_most=2**63 - 1, whole=True)],
        Field(description="seed of the audit"),
    ] = 0


def _no_list(value: Any) -> Any:
    return () if value is None else value


_UNLEARN_ONCE: dict[str, Any] = {
    "if": {
        "properties": {"forget": {"type": "array", "contains": {"type": "object"}}},
        "required": ["forget"],
    },
    "then": {"properties": {"unlearn": {"type": "null"}}},
    "else": {"properties": {"unlearn": {"not": {"type": "null"}}}, "required": ["unlearn"]},
}

STAND_INS: dict[str, Any] = {
    "model": {"loss": "ridge", "l2": 0, "normalizer": "fixed"},
    "learn": {"steps": 1, "step_size": 1, "noise": {"std": 0}},
    "unlearn": {"steps": 1, "step_size": 1, "noise": {"std": 0}},
}
"""What stands where dynamics are unknown, so that a run can carry data, forgotten rows and reference;
nothing is proved of it, and no model is trained by it."""


def _dynamics(schema: dict[str, Any]) -> None:
    """Ask for the dynamics in the JSON Schema where they are stated, and for code where they are not."""
    schema["required"] = [key for key in schema["required"] if key not in STAND_INS]
    nothing = {key: {"type": "null"} for key in (*STAND_INS, "output_noise")}
    code = {"implementation": {"not": {"type": "null"}}, "release": {"const": "final"}}
    schema |= {
        "if": {"properties": {"dynamics": {"const": "unknown"}}, "required": ["dynamics"]},
        "then": {"properties": {**nothing, **code}, "required": ["implementation"]},
        "else": {"required": ["model", "learn"], **_UNLEARN_ONCE},
    }


class Spec(_Part):
    """A learn/unlearn run, and the claims of the certificate issued for it."""

    model_config = ConfigDict(json_schema_extra=_dynamics)

    certaudit: Annotated[Version, Field(description="version of this format")]
    name: Annotated[Line, Field(description="name of the run")]
    dynamics: Annotated[
        Literal["stated", "unknown"],
        Field(
            description="unknown: only the implementation is attacked, nothing is proved, and model, "
            "learn and unlearn are left out"
        ),
    ] = "stated"
    data: DataSpec
    model: ModelSpec
    learn: LearnSpec
    forget: Annotated[
        Annotated[tuple[Index, ...], Field(min_length=1), Tag(ROWS)]
        | Annotated[SubjectsSpec, Tag(SUBJECTS)]
        | Annotated[tuple[StageSpec, ...], Field(min_length=1, max_length=MAX_STAGES), Tag(STAGES)],
        FORGET,
        Field(
            description="rows of the forgotten points, counted from 0; or the subjects, by ids or "
            "ids_file; or stages, each with rows or subjects and an unlearning phase of its own"
        ),
    ]
    unlearn: Annotated[
        UnlearnSpec | None,
        Field(description="the unlearning phase, where forget lists no stages"),
    ] = None
    output_noise: Annotated[OutputNoise | None, Field(description="noise on the released model")] = None
    reference: Annotated[
        Annotated[Literal["unlearn-retrained", "retrained"], Tag(WORD)]
        | Annotated[RetrainedReference, Tag(RETRAINED)]
        | Annotated[UnlearnRetrainedReference, Tag(UNLEARN_RETRAINED)],
        REFERENCE,
        Field(description="law Q that the law P of the unlearned model is compared with"),
    ]
    release: Annotated[
        Literal["final", "before-and-after", "every-step"],
        Field(
            description="what an observer sees: the final model, the learned model and the final one, "
            "or every iterate"
        ),
    ] = "final"
    claims: Annotated[tuple[ClaimSpec, ...], BeforeValidator(_no_list)] = ()
    implementation: Annotated[
        ImplementationSpec | None,
        Field(description="the code under audit, if it is not the built-in dynamics"),
    ] = None
    audit: AuditSpec = AuditSpec()
    policy: Annotated[
        PolicySpec | None, Field(description="what PASS requires; a file given with --policy adds to it")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _stand_ins(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("dynamics") == "unknown":
            return {**value, **{k: v for k, v in STAND_INS.items() if value.get(k) is None}}
        return value

    @model_validator(mode="after")
    def _crosscheck(self) -> Spec:
        tree = self.model_dump(by_alias=True)
        if not self.stated:
            for key, stand_in in STAND_INS.items():
                if getattr(self, key) == type(getattr(self, key)).model_validate(stand_in):
                    del tree[key]
        for _, message in crosscheck(tree):
            raise fault(message)
        return self

    @property
    def stated(self) -> bool:
        """Whether the spec states the dynamics, so that there is something to prove."""
        return self.dynamics == "stated"

    @property
    def stages(self) -> tuple[StageSpec, ...]:
        """The deletion requests in order, one if ``forget`` lists no stages."""
        if self.unlearn is None:
            return cast(tuple[StageSpec, ...], self.forget)
        if isinstance(self.forget, SubjectsSpec):
            whose = self.forget
            return (StageSpec(ids=whose.ids, ids_file=whose.ids_file, unlearn=self.unlearn),)
        return (StageSpec(rows=cast(tuple[int, ...], self.forget), unlearn=self.unlearn),)


TAGGED: dict[str, type[BaseModel] | None] = {
    WORD: None,
    NUMBER: None,
    LIST: None,
    POINT_START: PointStart,
    GAUSSIAN_START: GaussianStart,
    PARTIAL_CLIP: PartialClip,
    CYCLIC: CyclicBatches,
    ROWS: None,
    SUBJECTS: SubjectsSpec,
    STAGES: StageSpec,
    RETRAINED: RetrainedReference,
    UNLEARN_RETRAINED: UnlearnRetrainedReference,
    **{claim_tag(one.claim): one for one in CLAIM_SPECS},
}
