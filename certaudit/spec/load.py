"""A spec file checked against the model, every fault with its line, column and key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from certaudit.data.words import shown, shown_path
from certaudit.errors import Diagnostic, InputError
from certaudit.spec.crosscheck import crosscheck
from certaudit.spec.document import Document, Marks, Place, dotted, gather
from certaudit.spec.fields import PATTERNS
from certaudit.spec.model import TAGGED, PolicySpec, Spec
from certaudit.spec.reader import scan

_WANTED = {
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "dict_type": "must be a mapping",
}


@dataclass(frozen=True)
class LoadedSpec:
    """A valid spec, the file it came from, the SHA-256 of its bytes and where its values stand."""

    spec: Spec
    path: Path
    sha256: str
    marks: Marks

    def problem(self, message: str, *place: str | int) -> Diagnostic:
        """Return a diagnostic at a place of the spec, such as ``"forget", 0``."""
        return _diagnostic(shown_path(self.path), self.marks, place, message)


def load_spec(path: Path) -> LoadedSpec:
    """Read and check a spec file.

    Raises:
        InputError: with everything found wrong, in the order of the file.
    """
    document = scan(path)
    problems = list(document.problems)
    spec = None
    if document.tree is None and not problems:
        problems.append(Diagnostic(document.file, "the spec is empty"))
    else:
        try:
            spec = Spec.model_validate(document.tree)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            problems += _faults(document, details)
        problems += [*_contradictions(document), *_respelled(document)]
    if spec is None or problems:
        raise InputError(gather(problems))
    return LoadedSpec(spec, path, document.sha256, document.marks)


def load_policy(path: Path) -> PolicySpec:
    """Read and check a file that holds what a spec has under ``policy``.

    Raises:
        InputError: with everything found wrong, in the order of the file.
    """
    document = scan(path)
    problems = list(document.problems)
    try:
        if not problems:
            return PolicySpec.model_validate({} if document.tree is None else document.tree)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems += _faults(document, details, PolicySpec)
    raise InputError(gather(problems))


def _contradictions(document: Document) -> Iterator[Diagnostic]:
    tree = document.tree
    for place, message in crosscheck(tree):
        absent = place not in document.marks.values
        if not _refused(document, place) and not (absent and place[:-1] in document.incomplete):
            yield _diagnostic(document.file, document.marks, place, message)
    lost = ("claims",) in document.refused or () in document.incomplete
    if isinstance(tree, dict) and tree.get("claims") in (None, []) and not lost:
        message = "no claims at all: nothing would be checked"
        yield _diagnostic(document.file, document.marks, ("claims",), message)


def _respelled(document: Document) -> Iterator[Diagnostic]:
    """Ids that YAML reads as another text than stands there: 017, 17.0, 1e3."""
    for place, text in document.marks.texts.items():
        if place[:1] == ("forget",) and "ids" in place[1:-1]:
            value = _value(document, place)
            if isinstance(value, Fraction) and value.denominator == 1 and str(value) != text:
                message = f"is read as the number {shown(str(value))}: quote it, or write that number"
                yield _diagnostic(document.file, document.marks, place, message)


def _faults(
    document: Document, errors: list[ErrorDetails], root: type[BaseModel] = Spec
) -> Iterator[Diagnostic]:
    for error in errors:
        place, owner = _resolve(error, root)
        if not place and error["type"] == "spec" and root is Spec:
            continue  # the model's own cross-check, which ``_contradictions`` reports in place
        if _refused(document, place):
            continue
        if error["type"] == "spec" and _lost_a_part(document, place):
            continue
        if error["type"] == "too_short" and _value(document, place):
            continue  # not empty: every entry was refused, and says so
        if error["type"] == "missing":
            if place[:-1] not in document.incomplete:
                yield _diagnostic(document.file, document.marks, place, "is missing")
        elif error["type"] == "extra_forbidden":
            mark = document.marks.keys.get(place)
            line, column = mark or (None, None)
            message = _unknown(str(place[-1]), owner)
            yield Diagnostic(document.file, message, line, column, dotted(place))
        else:
            message = _message(error)
            message += "" if error["type"] == "too_long" else _found(document, place)
            if error["type"] == "string_type" and place in document.marks.texts:
                message += " (quote it)"
            yield _diagnostic(document.file, document.marks, place, message)


def _refused(document: Document, place: Place) -> bool:
    return any(place[:k] in document.refused for k in range(len(place) + 1))


def _lost_a_part(document: Document, place: Place) -> bool:
    return place in document.incomplete or any(p[: len(place)] == place for p in document.refused)


def _diagnostic(file: str, marks: Marks, place: Place, message: str) -> Diagnostic:
    line, column = marks.near(place) or (None, None)
    return Diagnostic(file, message, line, column, dotted(place))


def _message(error: ErrorDetails) -> str:
    context: Mapping[str, Any] = error.get("ctx", {})
    kind = error["type"]
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    if kind == "too_short":
        return "must not be empty"
    if kind == "too_long":
        return f"must have at most {context['max_length']} entries"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    return _WANTED.get(kind) or shown(error["msg"], 200)


def _found(document: Document, place: Place) -> str:
    text = document.marks.texts.get(place)
    if text is not None:
        return f", found {shown(text)}" if text else ", found nothing"
    value = _value(document, place)
    return ", found a list" if isinstance(value, list) and value else ""


def _value(document: Document, place: Place) -> Any:
    value: Any = document.tree
    for part in place:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _unknown(key: str, owner: type[BaseModel]) -> str:
    known = [field.alias or name for name, field in owner.model_fields.items()]
    close = get_close_matches(key, known, n=1)
    if close:
        return f"unknown key: did you mean {close[0]}?"
    return f"unknown key: {', '.join(known)} {'are' if len(known) > 1 else 'is'} known here"


def _resolve(error: ErrorDetails, root: type[BaseModel]) -> tuple[Place, type[BaseModel]]:
    """Split an error's location into the place in the file and the model that owns the key."""
    *parents, last = error["loc"] or (None,)
    place: list[int | str] = []
    owner = root
    for part in parents:
        if part in TAGGED:
            owner = TAGGED[str(part)] or owner
        elif part is not None:
            place.append(part)
            owner = _nested(owner, str(part)) or owner
    if last is not None and (last not in TAGGED or error["type"] == "extra_forbidden"):
        place.append(last)
    return tuple(place), owner


def _nested(owner: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model that ``key`` of ``owner`` holds, if it holds one."""
    fields: dict[str, FieldInfo] = {
        field.alias or name: field for name, field in owner.model_fields.items()
    }
    if key not in fields:
        return None
    annotation = fields[key].annotation
    models = [
        kind
        for kind in (annotation, *get_args(annotation))
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    ]
    return models[0] if models else None
