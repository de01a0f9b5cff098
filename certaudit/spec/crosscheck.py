"""Checks that look at several fields at once, on trees that may have other faults as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from pydantic_core import PydanticCustomError

from certaudit.data.number import write_number
from certaudit.data.words import shown
from certaudit.spec.document import Place
from certaudit.spec.fields import exact


def crosscheck(tree: Any) -> Iterator[tuple[Place, str]]:
    """Yield the place and description of every contradiction between fields of a spec.

    ``tree`` holds a spec's nested mappings and lists; parts of another shape are passed over.
    """
    learn_steps = _number(_at(tree, "learn", "steps"))
    ids: dict[str, int] = {}
    for k, claim in enumerate(_list(_at(tree, "claims"))):
        name = _at(claim, "id")
        if isinstance(name, str) and ids.setdefault(name, k) != k:
            yield ("claims", k, "id"), f"duplicate claim id {shown(name)}"
        step = _number(_at(claim, "step"))
        if step is not None and learn_steps is not None and step > learn_steps >= 1:
            yield (
                ("claims", k, "step"),
                f"{_text(step)} is beyond the {_text(learn_steps)} learning steps",
            )
    rows: dict[Fraction, int] = {}
    for k, entry in enumerate(_list(_at(tree, "forget"))):
        row = _number(entry)
        if row is not None and rows.setdefault(row, k) != k:
            yield ("forget", k), f"row {_text(row)} is listed twice"
    data = _at(tree, "data")
    if _at(data, "target") == "unit":
        if _at(data, "positive") is not None:
            yield ("data", "target"), "must be none where positive makes the labels -1 and +1"
        elif _at(tree, "model", "loss") == "logistic":
            yield ("data", "target"), "must be none for logistic loss, whose labels are -1 and +1"
    source = _at(data, "source")
    if _at(data, "target_column") is not None and isinstance(source, str):
        kind = source.partition(":")[0]
        if kind not in ("csv", "parquet"):
            yield ("data", "target_column"), f"has no meaning for {shown(kind)} data"


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


def _text(number: Fraction) -> str:
    return shown(str(write_number(number)))
