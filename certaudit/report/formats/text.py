"""The report a person reads."""

from __future__ import annotations

from collections.abc import Sequence

from certaudit.report import text
from certaudit.session import Outcome

SUFFIX = "txt"


def render(outcomes: Sequence[Outcome], exit_code: int) -> str:
    """The whole report."""
    return "\n".join(text.report(outcomes, exit_code)) + "\n"
