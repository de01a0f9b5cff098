"""What foreign code may disturb while it runs, put back afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO

_ASIDE: list[TextIO] = []


@contextmanager
def foreign(folder: Path) -> Iterator[None]:
    """Run foreign code: modules in ``folder`` are found first, and stdout is stderr.

    That holds for what its child processes and compiled parts print as well.  Afterwards stdout, the
    search path and the working folder are as they were.
    """
    path, where = list(sys.path), os.getcwd()
    sys.path[:] = [str(folder), *(one for one in path if one != str(folder))]
    try:
        with _descriptor_aside(), redirect_stdout(_aside()):
            yield
    finally:
        sys.path[:] = path
        os.chdir(where)


@contextmanager
def _descriptor_aside() -> Iterator[None]:
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (OSError, ValueError, AttributeError):  # no stdout to keep clean
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _aside() -> TextIO:
    """A stream to stderr that lives on: the code may keep it in a logger, or close it."""
    if not _ASIDE or _ASIDE[0].closed:
        try:
            target = os.dup(2)
        except OSError:
            target = os.open(os.devnull, os.O_WRONLY)
        _ASIDE[:] = [os.fdopen(target, "w", buffering=1, errors="backslashreplace")]
    return _ASIDE[0]
