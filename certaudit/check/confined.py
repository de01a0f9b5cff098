"""Checking in a process of its own, which the system ends at a limit whatever it computes.

The caller's process reads the files and waits.  The other one has 9 s of the processor and 1 GB of
address space where the system can hold it to that (``resource``), and 60 s by the clock everywhere; it
answers with its report as JSON.  Without an answer there is a refusal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from .checker import Judged, Report, examined, refusal
from .document import contents
from .refusal import Refused

SECONDS, MEMORY, PATIENCE = 9, 10**9, 60
WITHOUT_DATA = 0xFFFFFFFF


def check_file(path: str | os.PathLike[str], data_path: str | os.PathLike[str] | None = None) -> Report:
    """Check the certificate in a file, with the data beside it in another if it leaves them out."""
    found: list[bytes | None] = []
    for code, name in (("FORMAT", path), ("DATA", data_path)):
        try:
            found.append(None if name is None else contents(name))
        except Refused as fault:
            return refusal(code, f": {fault}")
        except (OSError, ValueError) as fault:
            return refusal(code, f": cannot be read: {type(fault).__name__}")
    return check_bytes(found[0] or b"", found[1])


def check_bytes(content: bytes, data: bytes | None = None) -> Report:
    """Check a certificate; ``data``: the bytes of {"X": ..., "y": ...} where it leaves them out."""
    code = f"import sys; sys.path = {sys.path!r}; import {__name__} as it; it.answer()"
    size = WITHOUT_DATA if data is None else len(data)
    sent = size.to_bytes(4, "big") + (data or b"") + content
    call = [sys.executable, "-c", code]
    try:
        done = subprocess.run(
            call, input=sent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return refusal("LIMIT", f": no answer within {PATIENCE} s")
    except OSError as fault:
        return refusal("LIMIT", f": no process to check in: {type(fault).__name__}")
    if done.returncode == -getattr(signal, "SIGXCPU", 0):
        return refusal("LIMIT", f": needs more than {SECONDS} s of the processor")
    if done.returncode:
        return refusal("LIMIT", f": needs more than {MEMORY // 10**6} MB of memory, or broke off")
    return _report(json.loads(done.stdout))


def _report(fields: dict[str, Any]) -> Report:
    claims = tuple(Judged(**claim) for claim in fields.pop("claims"))
    reasons, assumptions = map(tuple, (fields.pop("reasons"), fields.pop("assumptions")))
    return Report(claims=claims, reasons=reasons, assumptions=assumptions, **fields)


def answer() -> None:
    """What the other process does."""
    _confine()
    stream = sys.stdin.buffer
    size = int.from_bytes(stream.read(4), "big")
    data = None if size == WITHOUT_DATA else stream.read(size)
    json.dump(asdict(examined(stream.read(), data)), sys.stdout)


def _confine() -> None:
    try:
        import resource
    except ImportError:
        return
    limits = (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        try:
            resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))
        except (ValueError, OSError):
            continue
