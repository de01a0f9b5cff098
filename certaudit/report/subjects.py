"""Those who are forgotten, in words and data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from certaudit.data.words import shown
from certaudit.report import words
from certaudit.session import Case
from certaudit.spec.subjects import Subject

FEW = 8


def lines(case: Case) -> Iterator[str]:
    """The ids that each request forgets, as the spec writes them, with their rows (none where it lists
    rows); then warnings about the input."""
    for k, request in enumerate(case.subjects, 1):
        if request:
            stage = "" if len(case.subjects) == 1 else f" {k}"
            yield f"{f'subjects{stage}':<12}{_subjects(request)}"
    yield from (f"warning     {one.message}" for one in case.warnings)


def data(case: Case) -> dict[str, Any]:
    """The same, JSON-ready."""
    return {
        "id_column": case.loaded.spec.data.id_column,
        "subjects": [
            [{"id": one.id, "rows": list(one.rows)} for one in request] for request in case.subjects
        ],
        "warnings": [one.message for one in case.warnings],
    }


def alone(case: Case) -> str | None:
    """What is said of results about each row alone, where some subjects have several rows."""
    if not case.several:
        return None
    who = "1 subject of the data has" if case.several == 1 else f"{case.several} subjects have"
    return f"each row is taken alone; {who} several rows, and nothing here is about all of them together"


def _subjects(request: Sequence[Subject]) -> str:
    few = "; ".join(f"{shown(one.id)!r} ({words.rows(one.rows)})" for one in request[:FEW])
    return few + (f"; ... ({len(request)} in all)" if len(request) > FEW else "")
