"""What a reader hands on: a tree, the place of everything in it, and what was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from certaudit.data.words import shown
from certaudit.errors import Diagnostic

MAX_REPORTED = 100

Place: TypeAlias = tuple[str | int, ...]
Mark: TypeAlias = tuple[int, int]
Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | bool | Fraction | None"


@dataclass(frozen=True)
class Marks:
    """Where things stand: (line, column), counted from 1, of each value and of its key.

    ``texts`` holds each scalar as written.
    """

    values: Mapping[Place, Mark]
    keys: Mapping[Place, Mark]
    texts: Mapping[Place, str]

    def near(self, place: Place) -> Mark | None:
        """Return the mark of the value at ``place``, or of what should have held it.

        A missing value is marked at the key of the mapping that lacks it.
        """
        if place in self.values:
            return self.values[place]
        while place:
            place = place[:-1]
            for marks in (self.keys, self.values):
                if place in marks:
                    return marks[place]
        return None


@dataclass(frozen=True)
class Document:
    """A file read: its tree, marks and the SHA-256 of its bytes.

    ``problems`` is empty unless the document came from ``scan``; ``refused`` then holds the
    places whose value was refused, and ``incomplete`` the mappings that lost an entry.
    """

    file: str
    tree: Tree
    marks: Marks
    sha256: str
    problems: tuple[Diagnostic, ...] = ()
    refused: frozenset[Place] = frozenset()
    incomplete: frozenset[Place] = frozenset()


def gather(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the problems in the order of the file, each once, cut after ``MAX_REPORTED``."""
    distinct = sorted(set(problems), key=lambda d: (d.line or 0, d.column or 0, d.key or "", d.message))
    if len(distinct) > MAX_REPORTED:
        rest = len(distinct) - MAX_REPORTED
        return [*distinct[:MAX_REPORTED], Diagnostic(distinct[0].file, f"and {rest} more problems")]
    return distinct


def dotted(place: Place) -> str | None:
    """Write a place as ``claims.0.delta``; None for the top."""
    return ".".join(shown(str(part)) for part in place) or None
