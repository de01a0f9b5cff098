"""From the ids that a spec forgets to the rows of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from certaudit.data.errors import DataError
from certaudit.data.sources import read_inside
from certaudit.data.subjects import MAX_IDS_BYTES, Ids, listed
from certaudit.data.words import shown, shown_path
from certaudit.errors import Diagnostic
from certaudit.spec.document import Place
from certaudit.spec.load import LoadedSpec
from certaudit.spec.model import StageSpec

Report: TypeAlias = Callable[[str], Diagnostic]


@dataclass(frozen=True)
class Subject:
    """One who is forgotten: the id, as the spec or its file writes it, and all rows that are theirs."""

    id: str
    rows: tuple[int, ...]


def subjects(
    loaded: LoadedSpec, ids: Ids | None
) -> tuple[tuple[tuple[Subject, ...], ...], list[Diagnostic]]:
    """The subjects of each request, none where it lists rows, and what is wrong with the ids."""
    if ids is None:
        return ((),) * len(loaded.spec.stages), []
    problems: list[Diagnostic] = []
    seen: set[str] = set()
    found = [
        tuple(_subjects(_written(loaded, stage, place, problems), ids, seen, problems))
        for stage, place in _stages(loaded)
    ]
    return tuple(found), problems


def look_alikes(found: Sequence[Sequence[Subject]], ids: Ids | None) -> Iterator[str]:
    """What is said of rows that stay, although their id is a forgotten one but for its writing."""
    if ids is None:
        return
    rows = ids.alike([one.id for request in found for one in request])
    if rows:
        some = ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")
        yield (
            f"row{'s' if len(rows) > 1 else ''} {some}: the id differs from one that is forgotten only "
            "in case, spaces, leading zeros or the form of its characters, and is taken as another's"
        )


def _stages(loaded: LoadedSpec) -> Iterator[tuple[StageSpec, Place]]:
    spec = loaded.spec
    for k, stage in enumerate(spec.stages):
        yield stage, ("forget",) if spec.unlearn is not None else ("forget", k)


def _subjects(
    written: Iterator[tuple[str, Report]], ids: Ids, seen: set[str], problems: list[Diagnostic]
) -> Iterator[Subject]:
    for text, report in written:
        try:
            key = ids.key(text)
        except ValueError as error:
            problems.append(report(f"{_quoted(text)} {error}"))
            continue
        if key in seen:
            problems.append(report(f"the id {_quoted(text)} is listed twice"))
        elif key not in ids.rows:
            problems.append(report(f"no row of the data has the id {_quoted(text)}"))
        else:
            yield Subject(text, ids.rows[key])
        seen.add(key)


def _written(
    loaded: LoadedSpec, stage: StageSpec, place: Place, problems: list[Diagnostic]
) -> Iterator[tuple[str, Report]]:
    """Each id of a request, with what reports a fault at its place."""

    def in_spec(k: int, message: str) -> Diagnostic:
        return loaded.problem(message, *place, "ids", k)

    def in_file(line: int, message: str) -> Diagnostic:
        return Diagnostic(file, message, line)

    if stage.ids_file is None:
        yield from ((text, partial(in_spec, k)) for k, text in enumerate(stage.ids or ()))
        return
    file = shown_path(loaded.path.parent / stage.ids_file)
    column = loaded.spec.data.id_column if stage.ids_file.lower().endswith(".csv") else None
    empty = True
    try:
        for text, line in listed(read_inside(loaded.path.parent, stage.ids_file, MAX_IDS_BYTES), column):
            empty = False
            yield text, partial(in_file, line)
    except DataError as error:
        problems.append(loaded.problem(error.message, *place, "ids_file"))
        return
    if empty:
        problems.append(loaded.problem("lists no ids", *place, "ids_file"))


def _quoted(text: str) -> str:
    return repr(shown(text)) if text.isprintable() else f"'{shown(text)}'"
