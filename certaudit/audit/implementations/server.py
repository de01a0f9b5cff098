"""The process that imports the code and nothing else, and forks one process for every model.

It calls no function of the code itself, so that every model begins from the same state.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never

from certaudit.audit.implementations import wire
from certaudit.audit.implementations.load import Code, CodeError, brief, load
from certaudit.audit.implementations.model import Call, Floats, make, unseed

LOOK_AGAIN = 0.05
"""Seconds between looks at processes whose pipe something else keeps open."""

MOST_BYTES = 1 << 31
"""Of what one model may send."""

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux: processes that lose their parent become this one's children."""


@dataclass
class _Child:
    job: int
    pid: int
    pipe: int
    folder: Path
    said: bytearray = field(default_factory=bytearray)
    closed: bool = False


def main(descriptor: int) -> None:
    """Import the code named by the first message, say how that went, then make what is asked for."""
    control = socket.socket(fileno=descriptor)
    names = wire.receive(control)
    if names is None:
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    try:
        code = load(pickle.loads(names))
    except CodeError as error:
        wire.send(control, json.dumps({"field": error.field, "error": str(error)}).encode())
        return
    loaded = {"sha256": code.sha256, "threads": threading.active_count() - 1}
    wire.send(control, json.dumps(loaded).encode())
    folder = Path(tempfile.mkdtemp(prefix="run-")).resolve()
    try:
        _Server(control, code, folder).serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Server:
    def __init__(self, control: socket.socket, code: Code, folder: Path) -> None:
        self._control, self._code, self._folder = control, code, folder
        self._data: tuple[Floats, Floats] | None = None
        self._live: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        """Until the audit closes its end."""
        self._selector.register(self._control, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select(LOOK_AGAIN if self._live else None):
                if isinstance(key.data, _Child):
                    self._hear(key.data)
                elif not self._obey():
                    for child in list(self._live.values()):
                        self._end(child)
                    return
            for child in list(self._live.values()):
                self._look(child)

    def _obey(self) -> bool:
        message = wire.receive(self._control)
        if message is None:
            return False
        kind, body = pickle.loads(message)
        if kind == "data":
            self._data = body
        else:
            self._fork(*body)
        return True

    def _fork(self, job: int, calls: tuple[Call, ...]) -> None:
        assert self._data is not None
        read, write = os.pipe()
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        pid = os.fork()
        if not pid:
            self._become(write, folder, calls)
        os.close(write)
        os.set_blocking(read, False)
        child = _Child(job, pid, read, folder)
        self._live[pid] = child
        self._selector.register(read, selectors.EVENT_READ, child)

    def _become(self, pipe: int, folder: Path, calls: tuple[Call, ...]) -> Never:
        """In the new process: make the model, say what came of it, end."""
        own, status = os.getpid(), 1
        try:
            self._control.close()
            self._selector.close()
            for other in self._live.values():
                os.close(other.pipe)
            assert self._data is not None
            _work(self._code, self._data, pipe, folder, calls, own)
            status = 0
        except BaseException as error:  # foreign code may raise anything
            with suppress(BaseException):
                if os.getpid() == own:
                    wire.say(pipe, wire.FAULT, brief(error).encode())
                status = 0
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(BaseException):
                    stream.flush()
            os._exit(status)

    def _hear(self, child: _Child) -> None:
        with suppress(BlockingIOError):
            more = os.read(child.pipe, 1 << 20)
            child.said += more
            if not more or len(child.said) > MOST_BYTES:
                child.closed = True
                self._selector.unregister(child.pipe)

    def _look(self, child: _Child) -> None:
        """Report a model whose process has ended, or that said its last."""
        if not child.closed:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if not pid:
                return
            while not child.closed:
                before = len(child.said)
                self._hear(child)
                if len(child.said) == before:
                    break
            self._report(child, status)
        else:
            self._report(child, self._end(child))

    def _end(self, child: _Child) -> int:
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        return os.waitpid(child.pid, 0)[1]

    def _report(self, child: _Child, status: int) -> None:
        del self._live[child.pid]
        if not child.closed:
            self._selector.unregister(child.pipe)
        os.close(child.pipe)
        left = self._stragglers(child)
        shutil.rmtree(child.folder, ignore_errors=True)
        wire.send(self._control, wire.REPLY.pack(child.job, status, left) + bytes(child.said))

    def _stragglers(self, child: _Child) -> int:
        """End what a model's process left running; how many."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        left = 0
        for _ in range(100):
            with suppress(OSError):
                found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
                strays = [pid for pid in map(int, found) if pid not in self._live]
                for pid in strays:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    left += 1
                if strays:
                    continue
            break
        return left


def _work(
    code: Code,
    data: tuple[Floats, Floats],
    pipe: int,
    folder: Path,
    calls: tuple[Call, ...],
    own: int,
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    unseed()
    wrote: dict[str, None] = {}
    _watch(folder, wrote)
    X, y = data
    vector, prints = make(code, X, y, calls, lambda k: wire.say(pipe, wire.BEGINS))
    if os.getpid() == own:  # and not a copy that the code forked and let return
        wire.say(pipe, wire.MODEL, *wire.of_model(vector, prints, list(wrote)))


def _watch(folder: Path, wrote: dict[str, None]) -> None:
    """Note files that Python opens for writing outside ``folder``.  Compiled code is not seen."""
    inside, writing = f"{folder}{os.sep}", os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes):
            path, mode, flags = arguments
            changes = set(mode) & set("wax+") if isinstance(mode, str) else flags & writing
        elif event == "sqlite3.connect":
            path, changes = arguments[0], True
        else:
            return
        if changes and len(wrote) < 8:
            full = os.path.abspath(os.fsdecode(path))
            if not full.startswith((inside, "/dev/null")) and "__pycache__" not in full:
                wrote[full] = None

    sys.addaudithook(hook)
