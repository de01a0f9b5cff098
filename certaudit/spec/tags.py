"""Which alternative of a field a value is meant as, told by its shape before it is checked.

Tags stand in angle brackets so that they cannot be taken for keys in an error's location.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, Discriminator

from certaudit.claims import KINDS
from certaudit.claims.claim import Claim

WORD, NUMBER, LIST = "<word>", "<number>", "<list>"
POINT_START, GAUSSIAN_START = "<point-start>", "<gaussian-start>"
PARTIAL_CLIP, CYCLIC = "<clip>", "<cyclic>"
ROWS, SUBJECTS, STAGES = "<rows>", "<subjects>", "<stages>"
RETRAINED, UNLEARN_RETRAINED = "<retrained>", "<unlearn-retrained>"


def claim_tag(kind: type[Claim]) -> str:
    """The tag of a kind of claim."""
    return f"<{kind.kind}>"


_EVERY_CLAIM = ("id", "theorem", "after", "directions")
_CLAIM_KEYS = {
    claim_tag(kind): tuple(field.name for field in fields(kind) if field.name not in _EVERY_CLAIM)  # type: ignore[arg-type]
    for kind in KINDS.values()
}


def _keys(value: object) -> Set[str] | None:
    if isinstance(value, dict):
        return {key for key in value if isinstance(key, str)}
    return value.model_fields_set if isinstance(value, BaseModel) else None


def _claim(value: Any) -> str | None:
    keys = _keys(value)
    if keys is None:
        return None
    votes = {
        tag: sum(2 if key != "delta" else 1 for key in names if key in keys)
        for tag, names in _CLAIM_KEYS.items()
    }
    best = max(votes, key=votes.__getitem__)
    if votes[best]:
        return best
    for tag, names in _CLAIM_KEYS.items():
        if any(get_close_matches(name, keys) for name in names):
            return tag
    return None


def _start(value: Any) -> str | None:
    keys = _keys(value)
    if keys is None:
        return WORD if isinstance(value, str) else None
    if "point" in keys:
        return POINT_START
    return GAUSSIAN_START if "gaussian" in keys else None


def _clip(value: Any) -> str | None:
    return NUMBER if _keys(value) is None else PARTIAL_CLIP


def _mean(value: Any) -> str | None:
    return LIST if isinstance(value, list | tuple) else NUMBER


def _batches(value: Any) -> str | None:
    return WORD if _keys(value) is None else CYCLIC


def _forget(value: Any) -> str | None:
    if _keys(value) is not None:
        return SUBJECTS
    entries = value if isinstance(value, list | tuple) else ()
    return STAGES if any(_keys(entry) is not None for entry in entries) else ROWS


def _reference(value: Any) -> str | None:
    keys = _keys(value)
    if keys is None:
        return WORD
    kinds = ("unlearn-retrained", "retrained")
    meant = [kind for key in keys for kind in get_close_matches(key, kinds, n=1)]
    return UNLEARN_RETRAINED if "unlearn-retrained" in meant else RETRAINED


def _choice(choose: Callable[[Any], str | None], message: str) -> Discriminator:
    return Discriminator(choose, custom_error_type="spec", custom_error_message=message)


CLAIM = _choice(
    _claim,
    "must be a mapping with epsilon and delta, or order and renyi, or mu, "
    "or step, sensitivity and probability",
)
START = _choice(_start, "must be zeros, or a mapping with point or gaussian")
CLIP = _choice(_clip, "must be null, a number or a mapping")
MEAN = _choice(_mean, "must be a number or a list of numbers")
BATCHES = _choice(_batches, "must be full, or a mapping with cyclic")
FORGET = _choice(_forget, "must be a list of rows, a list of stages, or a mapping with ids or ids_file")
REFERENCE = _choice(_reference, "must be unlearn-retrained or retrained, or a mapping")
