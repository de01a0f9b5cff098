"""How far training has come, on stderr: a bar on a terminal, now and then a line in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

FIRST, EVERY = 10.0, 30.0
"""Seconds until the first line in a file, and between lines."""


class Progress(Protocol):
    """Counts work that is done."""

    def update(self) -> object:
        """One unit more."""
        ...


class _Lines:
    """Writes a line at a time; the first after FIRST seconds."""

    def __init__(self, what: str, total: int, unit: str) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._begun = time.monotonic()
        self._next, self._done = self._begun + FIRST, 0

    def update(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now >= self._next:
            self._next = now + EVERY
            spent = now - self._begun
            left = spent / self._done * (self._total - self._done)
            print(
                f"{self._what}: {self._done} of {self._total} {self._unit}s in {spent:.0f} s, "
                f"about {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )


@contextmanager
def progress(what: str, total: int, unit: str) -> Iterator[Progress]:
    """Counts up to ``total`` units of work on ``what``; nothing is shown of what takes a second."""
    if not sys.stderr.isatty():
        yield _Lines(what, total, unit)
        return
    with tqdm(total=total, desc=what, unit=unit, file=sys.stderr, delay=1.0, leave=False) as bar:
        yield bar
