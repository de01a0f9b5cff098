"""Why a certificate is not accepted, and how much work one may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

WORK = 8_000_000
"""Microseconds, roughly, that the numbers of one file may take."""

_left: ContextVar[int] = ContextVar("work", default=WORK)


class Refused(Exception):
    """The certificate does not show what it says."""


def need(holds: bool, why: str) -> None:
    """Refuse unless ``holds``."""
    if not holds:
        raise Refused(why)


def shown(found: object) -> str:
    """Foreign text in quotes, plain ASCII and short: it cannot pass for a line of ours."""
    if type(found) is not str:
        return f"a {type(found).__name__}"
    return ascii(found) if len(found) <= 60 else f"{found[:56]!a}..."


@contextmanager
def limited(work: int = WORK) -> Iterator[None]:
    """Refuse within this block what takes more work than that."""
    token = _left.set(work)
    try:
        yield
    finally:
        _left.reset(token)


def spend(work: float) -> None:
    """Take so many microseconds from what is left."""
    left = _left.get() - int(work)
    _left.set(left)
    need(left >= 0, "more work than a certificate may ask for")
