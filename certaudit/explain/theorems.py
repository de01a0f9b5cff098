"""The published theorems that a claim may name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import getdoc

from certaudit.explain.topic import Topic
from certaudit.search.published import THEOREMS

NOTE = (
    "A claim may name it with `theorem:`. The report then gives its premises on the run and its own "
    "value beside the best bound; it never decides a verdict."
)


def topics() -> Iterator[Topic]:
    """Every theorem; its premises are those of its docstring."""
    for name, check in THEOREMS.items():
        title = (sys.modules[check.__module__].__doc__ or "").strip().rstrip(".")
        paragraphs = (*(getdoc(check) or "").split("\n\n"), NOTE)
        yield Topic(name, "theorem", title, paragraphs, where="docs/theory.md#section-9")
