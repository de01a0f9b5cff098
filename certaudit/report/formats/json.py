"""Everything the verdicts rest on, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from certaudit.report import document
from certaudit.session import Outcome

SUFFIX = "json"


def render(outcomes: Sequence[Outcome], exit_code: int) -> str:
    """The whole report."""
    data = document.report(outcomes, exit_code)
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
