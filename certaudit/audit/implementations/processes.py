"""The audit's side of the process that has the code."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.implementations import wire
from certaudit.audit.implementations.load import SHAPES, CodeError, Names, printable
from certaudit.audit.implementations.model import Call

Floats = NDArray[np.float64]
Job = tuple[int, tuple[Call, ...]]
"""A number and the calls that make the model of that number."""

BOOT = (
    "import json, sys; path, descriptor = sys.argv[1:]; sys.argv[1:] = []; "
    "sys.path[:] = json.loads(path); "
    "from certaudit.audit.implementations.server import main; main(int(descriptor))"
)

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""Set to 1 where they are not set: sums do not depend on how many models are made at a time."""

MOST_LINES, MOST_LETTERS = 200, 300
"""Of what the code prints: lines in all, letters a line."""


class _Ended(Exception):
    """The process that has the code ended."""


class Server:
    """A process that has imported the code and nothing else; it ends when this object does."""

    def __init__(self, names: Names, shown: int = MOST_LINES) -> None:
        """Start it and import the code; up to ``shown`` lines of what it prints go to stderr, marked.

        Raises:
            CodeError: if a function cannot be imported, or cannot take the arguments it will be given.
        """
        if not hasattr(os, "fork"):
            raise CodeError("learn", "code can be run only where processes can fork (Linux, macOS)")
        self.names, self._shown = names, shown
        self.sha256, self.threads = self._start()

    def close(self) -> None:
        """End the process and everything it started."""
        self._end()

    def make(
        self, X: Floats, y: Floats, jobs: Iterable[Job], workers: int
    ) -> Iterator[tuple[int, wire.Report]]:
        """Reports in the order in which models are finished; a job is taken when a process is free.

        Models under way when the process ends are reported as failed, and it is started again.

        Raises:
            CodeError: if the code can no longer be imported then.
        """
        waiting, out = iter(jobs), set[int]()
        while True:
            try:
                self._give(X, y)
                yield from self._make(waiting, out, workers)
                return
            except _Ended:
                text = "the process that it was forked from ended meanwhile"
                for job in sorted(out):
                    yield job, wire.Report(0, None, fault=text)
                out.clear()
                self.close()
                self._start()

    def _start(self) -> tuple[str, int]:
        ours, theirs = socket.socketpair()
        path = json.dumps([os.path.abspath(one) for one in sys.path])
        environment = dict.fromkeys(ONE_THREAD, "1") | {"PYTHONHASHSEED": "0"} | os.environ
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", BOOT, path, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        assert process.stdout is not None
        relay = threading.Thread(target=_relay, args=(process.stdout, self._shown), daemon=True)
        relay.start()
        self._control, self._data = ours, b""
        self._end = weakref.finalize(self, _end, process, ours, relay)
        wire.send(ours, pickle.dumps(self.names))
        answer = _loaded(wire.receive(ours))
        if "error" in answer:
            self.close()
            raise CodeError(answer["field"], answer["error"])
        return answer["sha256"], answer["threads"]

    def _give(self, X: Floats, y: Floats) -> None:
        body = pickle.dumps(("data", (X, y)))
        if body != self._data:
            self._send(body)
            self._data = body

    def _make(
        self, waiting: Iterator[Job], out: set[int], workers: int
    ) -> Iterator[tuple[int, wire.Report]]:
        while True:
            while len(out) < workers and (job := next(waiting, None)) is not None:
                out.add(job[0])
                self._send(pickle.dumps(("job", job)))
            if not out:
                return
            message = wire.receive(self._control)
            if message is None or len(message) < wire.REPLY.size:
                raise _Ended
            number, status, left = wire.REPLY.unpack(message[: wire.REPLY.size])
            if number not in out:
                raise _Ended
            out.remove(number)
            yield number, wire.read(message[wire.REPLY.size :], status, left)

    def _send(self, message: bytes) -> None:
        try:
            wire.send(self._control, message)
        except OSError:
            raise _Ended from None


def _loaded(answer: bytes | None) -> dict[str, Any]:
    """What the process said of its imports; it runs foreign code by then, so anything may come."""
    ended = {"field": "learn", "error": "importing the code ended its process"}
    try:
        found = ended if answer is None else json.loads(answer)
        if "error" in found:
            field = found["field"] if found["field"] in SHAPES else "learn"
            return {"field": field, "error": printable(str(found["error"]))}
        return {"sha256": str(found["sha256"]), "threads": int(found["threads"])}
    except (ValueError, KeyError, TypeError):
        return ended


def _relay(source: IO[bytes], shown: int) -> None:
    """Pass on what the code prints, so that it cannot pass for the audit's own words."""
    lines = 0
    with source:
        while piece := source.readline(1 << 16):
            lines += 1
            text = printable(piece.decode(errors="replace").rstrip("\r\n"))
            if lines <= shown:
                print(f"code: {text[:MOST_LETTERS]}", file=sys.stderr)
            elif lines == shown + 1 > 1:
                print("code: (what else it prints is not shown)", file=sys.stderr)


def _end(process: subprocess.Popen[bytes], control: socket.socket, relay: threading.Thread) -> None:
    control.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    relay.join(timeout=1)
