"""One shadow model of foreign code, as a vector."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from numpy.typing import NDArray

from certaudit.blackbox.load import Code, brief
from certaudit.run import WORLDS, Run, World

Floats = NDArray[np.float64]

SEEDS = 1 << 32
PHASES = 1 << 10


class ShadowFault(Exception):
    """The code failed at one shadow; the message is one line that reproduces it."""


def seed_of(seed: int, world: World, shadow: int, phase: int) -> int:
    """The seed below 2^32 of a phase of a shadow: 0 learns, k serves request k.

    Seeds of one audit are all different (an odd multiple and a shift modulo 2^32, both drawn from the
    audit's seed) as long as it has fewer than 2^21 shadows.
    """
    odd, shift = np.random.SeedSequence(seed).generate_state(2, np.uint32).tolist()
    index = (shadow * PHASES + phase) * len(WORLDS) + WORLDS.index(world)
    return int(((odd | 1) * index + shift) % SEEDS)


def make(code: Code, run: Run, world: World, shadow: int, seed: int) -> Floats:
    """Train one model: world P learns and serves every request, Q is the reference without the rows.

    Every call gets fresh copies of the data.  For request k the data are those left by the requests
    before it, and ``forget`` counts rows in them; a reference that unlearns as well is asked to forget
    nothing.  Returns the parameters, flattened.

    Raises:
        ShadowFault: if the code raises, or returns no array of finite real numbers.
    """
    said: list[str] = []

    def call(name: str, function: Any, *arguments: Any, phase: int) -> Any:
        own = seed_of(seed, world, shadow, phase)
        said.append(f"{name} with seed {own}")
        with redirect_stdout(sys.stderr):
            return function(*arguments, own)

    gone: list[int] = [] if world == "P" else list(run.forget)
    try:
        model = call("learn", code.learn, *_data(run, gone), phase=0)
        unlearns = world == "P" or run.reference.kind == "unlearn-retrained"
        for k, request in enumerate(run.requests if unlearns else (), start=1):
            left = [j for j in range(run.n) if j not in set(gone)]
            forget = [left.index(j) for j in request.rows] if world == "P" else []
            model = call("unlearn", code.unlearn, model, *_data(run, gone), forget, phase=k)
            gone += request.rows if world == "P" else ()
        return flatten(model)
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
        part = part.detach().cpu().numpy()
    array = np.asarray(part)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"returned {type(part).__name__}, not an array of real numbers")
    return array.astype(np.float64)
