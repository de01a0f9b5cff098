"""Messages between the audit and the process that has the code.

To that process they are pickles.  From it they are plain bytes, read with care: they come from beside
foreign code.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LENGTH = struct.Struct("!Q")
REPLY = struct.Struct("!QiI")
"""Of a reply: number of the job, wait status of its process, processes it left running."""

BEGINS, FAULT, MODEL = b"b", b"f", b"m"


def send(to: socket.socket, message: bytes) -> None:
    """Send one message."""
    to.sendall(LENGTH.pack(len(message)))
    to.sendall(message)


def receive(source: socket.socket) -> bytes | None:
    """The next message; None where the other side has ended."""
    head = _exactly(source, LENGTH.size)
    return None if head is None else _exactly(source, LENGTH.unpack(head)[0])


def _exactly(source: socket.socket, count: int) -> bytes | None:
    found = bytearray()
    while len(found) < count:
        try:
            more = source.recv(min(count - len(found), 1 << 20))
        except OSError:
            return None
        if not more:
            return None
        found += more
    return bytes(found)


def say(pipe: int, kind: bytes, *parts: bytes) -> None:
    """Write one part of a model's report to its pipe."""
    message = b"".join(parts)
    view = memoryview(kind + LENGTH.pack(len(message)) + message)
    while view:
        view = view[os.write(pipe, view) :]


def of_model(vector: Floats, prints: list[str], wrote: list[str]) -> tuple[bytes, bytes]:
    """The parts of a MODEL message."""
    head = json.dumps({"prints": prints, "wrote": wrote}).encode()
    return LENGTH.pack(len(head)) + head, vector.tobytes()


@dataclass(frozen=True)
class Report:
    """What a model's process said and how it ended.

    begun: calls begun; vector: None if there is none, and then ``fault`` says why.
    prints: a fingerprint a call.  wrote: files opened for writing outside its own folder.
    left: processes it left running, which were ended.
    """

    begun: int
    vector: Floats | None
    prints: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()
    fault: str = ""
    left: int = 0


def read(said: bytes, status: int, left: int) -> Report:
    """What the bytes from a model's pipe say; ``status`` is that of ``os.waitpid``."""
    begun, fault = 0, ""
    while len(said) >= 1 + LENGTH.size:
        kind, (size,) = said[:1], LENGTH.unpack(said[1 : 1 + LENGTH.size])
        body, said = said[1 + LENGTH.size :][:size], said[1 + LENGTH.size + size :]
        if kind == BEGINS:
            begun += 1
        elif kind == FAULT:
            fault = body.decode(errors="replace")
        elif kind == MODEL and len(body) == size:
            try:
                return _model(body, begun, left)
            except (ValueError, KeyError, TypeError, struct.error):
                fault = "sent something that is no model"
    return Report(begun, None, fault=fault or _ended(status), left=left)


def _model(body: bytes, begun: int, left: int) -> Report:
    (size,) = LENGTH.unpack(body[: LENGTH.size])
    head = json.loads(body[LENGTH.size :][:size])
    vector = np.frombuffer(body[LENGTH.size + size :], dtype=np.float64)
    if not vector.size or not np.isfinite(vector).all():
        raise ValueError
    prints, wrote = (tuple(str(one) for one in head[key]) for key in ("prints", "wrote"))
    return Report(begun, vector, prints, wrote, left=left)


def _ended(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"its process was ended by signal {os.WTERMSIG(status)}"
    return f"it ended its process (exit status {os.WEXITSTATUS(status)})"
