"""Finished chunks of shadows on disk, so that a killed audit resumes with nothing lost."""

from __future__ import annotations

import hashlib
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from certaudit import __version__
from certaudit.run import Run

Floats = NDArray[np.float64]

NOT_IN_KEY = frozenset({"X", "y", "assumptions"})
"""Fields of a run hashed as arrays, or without influence on its models; all others are in the key."""


def digest(run: Run, *settings: object) -> str:
    """Key of everything that determines a chunk: data, parameters, settings, package version."""
    h = hashlib.sha256()
    for array in (run.X, run.y):
        h.update(np.ascontiguousarray(np.asarray(array, dtype=np.float64)).tobytes())
    facts = {f.name: getattr(run, f.name) for f in fields(run) if f.name not in NOT_IN_KEY}
    h.update(repr((__version__, run.X.shape, facts, settings)).encode())
    return h.hexdigest()[:32]


class ShadowStore:
    """A folder of finished chunks; a chunk made under another key is never read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> Floats | None:
        """The chunk stored under ``key``, or None if there is none or it is damaged."""
        try:
            chunk: Floats = np.load(self._path(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return chunk

    def save(self, key: str, chunk: Floats) -> None:
        """Store a chunk, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self._path(key).with_suffix(f".{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            np.save(file, chunk, allow_pickle=False)
        os.replace(temporary, self._path(key))

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"
