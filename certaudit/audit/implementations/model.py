"""One model of foreign code, made in a process of its own.

What is here runs beside foreign code, which can change any of it: nothing it sends back is trusted.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.random  # numpy loads it when it is first used: once here, not in every process
from numpy.typing import NDArray

from certaudit.audit.implementations.load import Code

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Call:
    """One call of a function on the rows without those ``gone``; ``forget`` counts in what is left.

    ``shown``: an observer keeps what it gives, beside what the last call gives.
    """

    function: Literal["learn", "unlearn"]
    gone: tuple[int, ...]
    forget: tuple[int, ...]
    seed: int
    shown: bool = False


def make(
    code: Code, X: Floats, y: Floats, calls: Sequence[Call], begins: Callable[[int], None]
) -> tuple[Floats, list[str]]:
    """What an observer gets of all calls, the last one's at the end, and a fingerprint of each.

    Every call gets fresh copies of the data.  A fingerprint is empty where an observer could not have
    read that call's parameters.  ``begins(k)`` is told before call k.

    Raises:
        Exception: whatever the code raises.
        TypeError, ValueError: if it returns no array of finite real numbers.
    """
    model: Any = None
    prints: list[str] = []
    kept: list[Floats] = []
    for k, call in enumerate(calls):
        begins(k)
        rows = [np.delete(np.asarray(one, dtype=np.float64), call.gone, axis=0) for one in (X, y)]
        if call.function == "learn":
            model = code.learn(*rows, call.seed)
        else:
            model = code.unlearn(model, *rows, list(call.forget), call.seed)
        if call.shown:
            kept.append(released(code, model))
        if k < len(calls) - 1:
            prints.append(_fingerprint_or_none(code, model))
    last = released(code, model)
    return np.concatenate([*kept, last]), [*prints, fingerprint(last)]


def released(code: Code, model: Any) -> Floats:
    """What an observer gets of a model, as one vector."""
    return flatten(model if code.release is None else code.release(model))


def fingerprint(vector: Floats) -> str:
    """Equal for equal numbers, and else equal with probability 2^-64."""
    return hashlib.blake2b(vector.tobytes(), digest_size=8).hexdigest()


def _fingerprint_or_none(code: Code, model: Any) -> str:
    with suppress(Exception):
        return fingerprint(released(code, model))
    return ""


def unseed() -> None:
    """Give the global generators states of their own, as in a process that no fork made."""
    random.seed()
    np.random.seed()
    torch = sys.modules.get("torch")
    if torch is not None:
        with suppress(Exception):
            torch.seed()


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
