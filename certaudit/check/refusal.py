"""Why a certificate is not accepted, and how much work one may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

WORK = 7_000_000
"""Microseconds, roughly, that one file may take."""

_left: float = WORK


class Refused(Exception):
    """The certificate does not show what it says."""


class Exhausted(Refused):
    """The certificate asks for more work than one may."""


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
def limited(work: float = WORK) -> Iterator[None]:
    """Refuse within this block what takes more work than that."""
    global _left
    before, _left = _left, work
    try:
        yield
    finally:
        _left = before


def spend(work: float) -> None:
    """Take so many microseconds from what is left.  Reading pays, and every interval, every matrix and
    every list of steps pays when it is made, so that whatever is built of them has paid."""
    global _left
    _left -= work
    if _left < 0:
        raise Exhausted("more work than a certificate may ask for")
