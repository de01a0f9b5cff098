"""Checks that look at several fields at once, on trees that may have other faults as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from pydantic_core import PydanticCustomError

from certaudit.data.number import write_number
from certaudit.data.words import shown
from certaudit.losses import LOSSES
from certaudit.losses.loss import any_number
from certaudit.spec.document import Place
from certaudit.spec.fields import exact

Contradictions: TypeAlias = Iterator[tuple[Place, str]]

_LOSSES = {name: loss for name, loss in LOSSES.items() if name != "network"}
_OWN_KEYS = {loss.needs: name for name, loss in _LOSSES.items() if loss.needs is not None}
_LABELS = {name: loss.labels for name, loss in _LOSSES.items() if loss.label_allowed is not any_number}
_SEEN = {"every-step": "the iterates themselves", "before-and-after": "the models themselves"}
_BY_ID = ("ids", "ids_file")
_LANGEVIN = ("langevin_sigma", "inverse_temperature")


class _Stage(NamedTuple):
    """One deletion request: where it stands, what it forgets (rows, ids or ids_file), where its rows
    stand, where its phase stands, the phase."""

    place: Place
    whom: Any
    rows_place: Place
    unlearn_place: Place
    unlearn: Any


def crosscheck(tree: Any) -> Contradictions:
    """Yield the place and description of every contradiction between fields of a spec.

    ``tree`` holds a spec's nested mappings and lists; parts of another shape are passed over.
    """
    if not isinstance(tree, dict):
        return
    staged = any(isinstance(entry, dict) for entry in _list(tree.get("forget")))
    stages = _stages(tree, staged)
    yield from _claims(tree, stages)
    yield from _forgotten(stages)
    yield from _subjects(tree, stages)
    if tree.get("dynamics") == "unknown":
        yield from _unknown(tree, staged)
    else:
        yield from _one_unlearning(tree, staged)
    yield from _batches(tree, stages)
    yield from _data(tree)
    yield from _loss(tree)
    yield from _noise(tree, stages)


def _stages(tree: Any, staged: bool) -> list[_Stage]:
    forget = _at(tree, "forget")
    if not staged:
        whom = forget if isinstance(forget, dict) else {"rows": forget}
        return [_Stage(("forget",), whom, ("forget",), ("unlearn",), _at(tree, "unlearn"))]
    return [
        _Stage(
            ("forget", k),
            entry,
            ("forget", k, "rows"),
            ("forget", k, "unlearn"),
            _at(entry, "unlearn"),
        )
        for k, entry in enumerate(_list(forget))
    ]


def _claims(tree: Any, stages: Sequence[_Stage]) -> Contradictions:
    total = _sum([_at(tree, "learn", "steps"), *(_at(stage.unlearn, "steps") for stage in stages)])
    ids: dict[str, int] = {}
    for k, claim in enumerate(_list(_at(tree, "claims"))):
        name = _at(claim, "id")
        if isinstance(name, str) and ids.setdefault(name, k) != k:
            yield ("claims", k, "id"), f"duplicate claim id {shown(name)}"
        step = _number(_at(claim, "step"))
        if step is not None and total is not None and step > total:
            message = f"{_text(step)} is beyond the {_text(total)} steps of learning and unlearning"
            yield ("claims", k, "step"), message
        after = _number(_at(claim, "after"))
        if after is not None and after > len(stages):
            plural = "s" if len(stages) > 1 else ""
            message = f"{_text(after)} is beyond the {len(stages)} stage{plural} of forget"
            yield ("claims", k, "after"), message


def _forgotten(stages: Sequence[_Stage]) -> Contradictions:
    return _twice(
        ((*stage.rows_place, k), row)
        for stage in stages
        for k, row in enumerate(_list(_at(stage.whom, "rows")))
    )


def _subjects(tree: Any, stages: Sequence[_Stage]) -> Contradictions:
    column = _at(tree, "data", "id_column")
    for stage in stages:
        kinds = ("ids", "ids_file") if stage.place == stage.rows_place else ("rows", "ids", "ids_file")
        given = [key for key in ("rows", *_BY_ID) if _at(stage.whom, key) is not None]
        if not given and isinstance(stage.whom, dict):
            yield (*stage.place, kinds[0]), f"is missing: give one of {', '.join(kinds)}"
        for key in given[1:]:
            yield (*stage.place, key), f"must be left out beside {given[0]}: give one of the two"
        if column is None and given[:1] and given[0] in _BY_ID:
            yield (
                (*stage.place, given[0]),
                "needs data.id_column, the name of the column that says whose each row is",
            )
        if column is not None and given[:1] == ["rows"]:
            yield stage.rows_place, "must be ids or an ids_file: data.id_column says whose each row is"


def _one_unlearning(tree: Any, staged: bool) -> Contradictions:
    if staged and _at(tree, "unlearn") is not None:
        yield ("unlearn",), "must be left out: every stage of forget has its own"
    if not staged and _at(tree, "unlearn") is None:
        yield ("unlearn",), "is missing: give it here, or in every stage of forget"


NO_MEANING = "has no meaning where the dynamics are unknown"


def _unknown(tree: Any, staged: bool) -> Contradictions:
    """What a spec that only has code attacked cannot say."""
    if _at(tree, "implementation") is None:
        yield ("implementation",), "is missing: where the dynamics are unknown only code can be attacked"
    for key in ("model", "learn", "unlearn", "output_noise"):
        if _at(tree, key) is not None:
            yield (key,), f"{NO_MEANING}: leave it out"
    if staged:
        yield ("forget",), "must be a list of rows, or ids, where the dynamics are unknown"
    if isinstance(_at(tree, "reference"), dict):
        yield ("reference",), "must be unlearn-retrained or retrained where the dynamics are unknown"
    if _at(tree, "release") not in (None, "final"):
        yield ("release",), "must be final where the dynamics are unknown"
    for key in ("conformance", "theorem_premises"):
        if _at(tree, "policy", key) is not None:
            yield ("policy", key), NO_MEANING
    for k, claim in enumerate(_list(_at(tree, "claims"))):
        for key in ("step", "theorem"):
            if _at(claim, key) is not None:
                yield ("claims", k, key), NO_MEANING


def _batches(tree: Any, stages: Sequence[_Stage]) -> Contradictions:
    phases = [(("learn",), _at(tree, "learn")), *((s.unlearn_place, s.unlearn) for s in stages)]
    for place, phase in phases:
        order = _list(_at(phase, "batches", "cyclic", "order"))
        yield from _twice(
            ((*place, "batches", "cyclic", "order", k), row) for k, row in enumerate(order)
        )


def _data(tree: Any) -> Contradictions:
    data, loss = _at(tree, "data"), _at(tree, "model", "loss")
    labels = _LABELS.get(loss) if isinstance(loss, str) else None
    if _at(data, "target") == "unit":
        if _at(data, "positive") is not None:
            yield ("data", "target"), "must be none where positive makes the labels -1 and +1"
        elif labels is not None:
            yield ("data", "target"), f"must be none for {loss} loss, whose labels are {labels}"
    if _at(data, "positive") is not None and not _of_a_margin(loss):
        yield ("data", "positive"), f"must be null for {loss} loss, whose labels are {labels}"
    source = _at(data, "source")
    if _at(data, "target_column") is not None and isinstance(source, str):
        kind = source.partition(":")[0]
        if kind not in ("csv", "parquet"):
            yield ("data", "target_column"), f"has no meaning for {shown(kind)} data"
    column = _at(data, "id_column")
    if column is not None and isinstance(source, str) and source.startswith("sklearn:"):
        yield ("data", "id_column"), "has no meaning for sklearn data, which have no ids"
    if column is not None and column == _at(data, "target_column"):
        yield ("data", "id_column"), "must be another column than target_column"


def _of_a_margin(loss: Any) -> bool:
    return loss not in _LOSSES or _LOSSES[loss].margin


def _loss(tree: Any) -> Contradictions:
    loss = _at(tree, "model", "loss")
    if not isinstance(loss, str):
        return
    if loss in _LOSSES and _of_a_margin(loss) and _at(tree, "model", "network") is not None:
        yield ("model", "network"), f"has no meaning for {loss} loss"
    yield from _convolutions(_at(tree, "model", "network", "cnn"))
    for key, owner in _OWN_KEYS.items():
        given = _at(tree, "model", key) is not None
        if loss == owner and not given:
            yield ("model", key), f"is missing: {loss} loss needs it"
        if loss in _LOSSES and loss != owner and given:
            yield ("model", key), f"has no meaning for {loss} loss"


def _convolutions(cnn: Any) -> Contradictions:
    kernel, layers = _number(_at(cnn, "kernel")), len(_list(_at(cnn, "channels")))
    for k, side in enumerate(_list(_at(cnn, "image"))):
        length = _number(side)
        if kernel is not None and length is not None and length - layers * (kernel - 1) < 1:
            message = f"{_text(length)} is too short for {layers} convolutions by {_text(kernel)}"
            yield ("model", "network", "cnn", "image", k), message


def _noise(tree: Any, stages: Sequence[_Stage]) -> Contradictions:
    places: list[tuple[str, ...]] = [
        ("output_noise",),
        ("reference", "retrained", "output_noise"),
        ("reference", "unlearn-retrained", "output_noise"),
    ]
    for release, seen in _SEEN.items():
        if _at(tree, "release") != release:
            continue
        for place in places:
            if _at(tree, *place) is not None:
                yield place, f"has no meaning with release {release}, which shows {seen}"
    law = _at(tree, "reference")
    if _at(tree, "release") == "before-and-after" and (law == "retrained" or _at(law, "retrained")):
        message = "has no model before unlearning: release before-and-after needs unlearn-retrained"
        yield ("reference",), message
    place = ("reference", "unlearn-retrained", "noise")
    sizes = {_number(_at(stage.unlearn, "step_size")) for stage in stages}
    for convention in _LANGEVIN:
        if len(sizes) > 1 and None not in sizes and _at(tree, *place, convention) is not None:
            yield (
                (*place, convention),
                "depends on the step size, and the stages of forget have different ones: give std",
            )


def _twice(rows: Iterable[tuple[Place, Any]]) -> Contradictions:
    first: dict[Fraction, Place] = {}
    for place, entry in rows:
        row = _number(entry)
        if row is not None and first.setdefault(row, place) != place:
            yield place, f"row {_text(row)} is listed twice"


def _at(tree: Any, *keys: str) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _list(tree: Any) -> Sequence[Any]:
    return tree if isinstance(tree, list | tuple) else ()


def _number(value: Any) -> Fraction | None:
    try:
        return exact(value)
    except PydanticCustomError:
        return None


def _sum(values: Iterable[Any]) -> Fraction | None:
    """The sum of counts, None unless each is at least 1."""
    numbers = [_number(value) for value in values]
    counts = [number for number in numbers if number is not None and number >= 1]
    return sum(counts, Fraction(0)) if len(counts) == len(numbers) else None


def _text(number: Fraction) -> str:
    return shown(str(write_number(number)))
