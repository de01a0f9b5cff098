"""A topic: what there is to say of one thing, as text to read and as data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

WIDTH = 92


@dataclass(frozen=True)
class Topic:
    """``paragraphs`` say what it is.  ``source`` is where that comes from, ``where`` the place of the
    documentation that has more: a path of the repository with an anchor.  Either may be empty."""

    name: str
    kind: str
    title: str
    paragraphs: tuple[str, ...]
    source: str = ""
    where: str = ""

    def lines(self) -> Iterator[str]:
        """The topic, to read."""
        yield f"{self.name}: {self.title}   ({self.kind})"
        yield ""
        for paragraph in self.paragraphs:
            yield from wrapped(paragraph)
            yield ""
        if self.source:
            yield from wrapped(f"source: {self.source}")
        if self.where:
            yield f"more:   {self.where}"

    def data(self) -> dict[str, Any]:
        """The topic, JSON-ready."""
        return asdict(self)


def wrapped(text: str, indent: str = "") -> list[str]:
    """A paragraph in lines of at most WIDTH characters."""
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
