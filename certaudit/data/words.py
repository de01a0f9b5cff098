"""Foreign text made safe and short enough for one line of a message."""

from __future__ import annotations

from pathlib import Path


def shown(text: str, limit: int = 40) -> str:
    """Return ``text`` without control characters, cut to ``limit`` characters.

    Whatever is not printable (new lines, escapes, bidirectional marks, lone surrogates) is
    written as a backslash escape.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def shown_path(path: Path) -> str:
    """Return ``path`` whole, with unprintable characters escaped."""
    text = str(path)
    return shown(text, len(text))
