"""How many models are taken at a time."""

from __future__ import annotations


def models_at_once(numbers: int, memory: int) -> int:
    """Models that need so many float64 numbers each and fit into ``memory`` bytes: a power of two, so
    that no cut of the shadows moves its edges."""
    most = max(1, memory // (8 * max(1, numbers)))
    return int(1 << (most.bit_length() - 1))
