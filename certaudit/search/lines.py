"""Reading what lines state."""

from __future__ import annotations

from typing import TypeVar

from certaudit.core.proof import Line
from certaudit.core.statement import Statement

S = TypeVar("S", bound=Statement)


def of(line: Line, kind: type[S]) -> S:
    """The line's statement, which is of this kind; raises TypeError if it is not."""
    if not isinstance(line.statement, kind):
        raise TypeError(f"line {line.number} states a {type(line.statement).__name__}")
    return line.statement
