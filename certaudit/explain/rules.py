"""The rules: what each states, on which premises."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc

from certaudit.core.rules import RULES
from certaudit.explain.topic import Topic


def topics() -> Iterator[Topic]:
    """Every rule, in alphabetical order; its statement and premises are those of its docstring."""
    for name, rule in sorted(RULES.items()):
        paragraphs = tuple((getdoc(rule.apply) or "").replace("``", "`").split("\n\n"))
        yield Topic(name, "rule", rule.title, paragraphs, rule.source, f"docs/theory.md#{name.lower()}")
