"""One shadow model of foreign code, as a vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.implementations.load import Code, brief
from certaudit.audit.implementations.surroundings import foreign
from certaudit.run import WORLDS, Run, World

Floats = NDArray[np.float64]

SEEDS = 1 << 32
HALF = 1 << 16
PHASES = 1 << 10


class ShadowFault(Exception):
    """The code failed at one shadow; the message is one line that reproduces it."""


def seed_of(seed: int, world: World, shadow: int, phase: int) -> int:
    """The seed below 2^32 of a phase of a shadow: 0 learns, k serves request k.

    Seeds of one audit are all different (a permutation of the numbers below 2^32, drawn from the audit's
    seed) as long as it has fewer than 2^21 shadows.  Four Feistel rounds on the two halves mix them, so
    that code that uses a part of its seed, as ``seed % 1000``, sees a fair draw of that part.
    """
    index = (shadow * PHASES + phase) * len(WORLDS) + WORLDS.index(world)
    left, right = divmod(index % SEEDS, HALF)
    for key in np.random.SeedSequence(seed).generate_state(4, np.uint64).tolist():
        left, right = right, left ^ _mix(right ^ key)
    return left * HALF + right


def _mix(number: int) -> int:
    """A number below 2^64 to one below 2^16 (SplitMix64's finalizer; Steele, Lea, Flood 2014)."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % (1 << 64)
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % (1 << 64)
    return (number ^ (number >> 31)) % HALF


def make(code: Code, run: Run, world: World, shadow: int, seed: int) -> Floats:
    """Train one model: world P learns and serves every request, Q is the reference without the rows.

    Every call gets fresh copies of the data.  For request k the data are those left by the requests
    before it, and ``forget`` counts rows in them; a reference that unlearns as well is asked to forget
    nothing.  Returns the parameters, flattened; before and after, those of the learned model first.

    Raises:
        ShadowFault: if the code raises, or returns no array of finite real numbers.
    """
    said: list[str] = []

    def call(name: str, function: Any, *arguments: Any, phase: int) -> Any:
        own = seed_of(seed, world, shadow, phase)
        said.append(f"{name} with seed {own}")
        with foreign(code.folder):
            return function(*arguments, own)

    gone: list[int] = [] if world == "P" else list(run.forget)
    try:
        model = call("learn", code.learn, *_data(run, gone), phase=0)
        before = [flatten(model)] if run.release == "before-and-after" else []
        unlearns = world == "P" or run.reference.kind == "unlearn-retrained"
        for k, request in enumerate(run.requests if unlearns else (), start=1):
            left = np.delete(np.arange(run.n), gone).tolist()
            forget = [left.index(j) for j in request.rows] if world == "P" else []
            model = call("unlearn", code.unlearn, model, *_data(run, gone), forget, phase=k)
            gone += request.rows if world == "P" else ()
        return np.concatenate([*before, flatten(model)])
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        where = f"world {world}, shadow {shadow}, {said[-1]}"
        raise ShadowFault(f"{where}: {brief(error)}") from None


def _data(run: Run, gone: list[int]) -> tuple[Floats, Floats]:
    return (
        np.delete(np.asarray(run.X, dtype=np.float64), gone, axis=0),
        np.delete(np.asarray(run.y, dtype=np.float64), gone, axis=0),
    )


def flatten(model: Any) -> Floats:
    """The numbers of an array, or of a state dict in its order, as one vector.

    Raises:
        TypeError, ValueError: if they are not finite real numbers, or there are none.
    """
    parts = list(model.values()) if isinstance(model, Mapping) else [model]
    arrays = [_array(part) for part in parts]
    if not sum(array.size for array in arrays):
        raise TypeError(f"returned {type(model).__name__} without numbers, not parameters")
    vector = np.concatenate([array.ravel() for array in arrays])
    if not np.isfinite(vector).all():
        raise ValueError(f"returned {int((~np.isfinite(vector)).sum())} numbers that are not finite")
    return vector


def _array(part: Any) -> Floats:
    if hasattr(part, "detach"):
        part = part.detach().cpu()
        part = (part.double() if part.is_floating_point() else part).numpy()
    array = np.asarray(part)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"returned {type(part).__name__}, not an array of real numbers")
    return array.astype(np.float64)
