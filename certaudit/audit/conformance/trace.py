"""A recorded training run, step by step, and its file format."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Trace:
    """What one model did in all its phases (learning is phase 0, the k-th unlearning phase k).

    phase (T,): the phase of each step; step_size (T,): eta; noise (T, p): what was added to the
    parameters; before, after (T, p): the iterates; rows: (T,) arrays of the row indices summed over;
    largest_gradient (T,): the largest norm of a row's gradient after clipping, nan where nothing is
    clipped; radius (T,): of the ball projected onto, nan where there is no projection.
    """

    phase: Whole
    step_size: Floats
    noise: Floats
    before: Floats
    after: Floats
    rows: tuple[Whole, ...]
    largest_gradient: Floats
    radius: Floats

    def __post_init__(self) -> None:
        steps = len(self.phase)
        tables = (self.noise, self.before, self.after)
        columns = (self.step_size, self.rows, self.largest_gradient, self.radius)
        if any(len(column) != steps for column in columns):
            raise ValueError("a trace needs one entry a step in every field")
        if any(table.ndim != 2 or table.shape != self.before.shape for table in tables):
            raise ValueError("noise, before and after must be (steps, parameters), all alike")
        if len(self.before) != steps:
            raise ValueError("a trace needs one entry a step in every field")

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.phase)


FIELDS = ("phase", "step_size", "noise", "before", "after", "largest_gradient", "radius")


def write(trace: Trace, path: Path) -> None:
    """Save to an npz file: the fields by name; ``rows`` end to end, with ``row_counts`` (T,)."""
    counts = np.array([len(rows) for rows in trace.rows], dtype=np.int64)
    joined = np.concatenate(trace.rows) if trace.rows else np.zeros(0, dtype=np.int64)
    fields = {name: getattr(trace, name) for name in FIELDS}
    np.savez_compressed(path, rows=joined, row_counts=counts, **fields)


def read(path: Path) -> Trace:
    """Load what ``write`` saved.

    Raises:
        ValueError: if the file is not such a trace; the message is one line.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: not a readable npz file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return _of(archive)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None


def _of(archive: Mapping[str, NDArray[Any]]) -> Trace:
    missing = [n for n in (*FIELDS, "rows", "row_counts") if n not in archive]
    if missing:
        raise ValueError(f"a trace needs the field {missing[0]!r}")
    counts = archive["row_counts"].astype(np.int64)
    if counts.min(initial=0) < 0 or counts.sum() != len(archive["rows"]):
        raise ValueError("row_counts do not add up to the length of rows")
    rows = np.split(archive["rows"].astype(np.int64), np.cumsum(counts)[:-1])
    fields = {name: archive[name].astype(np.float64) for name in FIELDS if name != "phase"}
    phase = archive["phase"].astype(np.int64)
    return Trace(phase=phase, rows=tuple(rows) if len(counts) else (), **fields)
