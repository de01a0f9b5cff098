"""The steps of both worlds with what a statement says of each; what I1 and I2 share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from certaudit.core.rule import NotApplicable
from certaudit.core.schedule import Pair
from certaudit.core.statement import Direction

T = TypeVar("T")

DIRECTIONS: dict[str, tuple[Direction, ...]] = {"P": ("P|Q",), "Q": ("Q|P",), "any": ("P|Q", "Q|P")}


def side_by_side(
    rule: str, pairs: Sequence[Pair], known: Sequence[tuple[int, T]]
) -> Iterator[tuple[int, Pair, T]]:
    """(count, steps, what is known of each) over the stretches on which both are constant.

    ``known``: (number of equal steps, value).  Raises NotApplicable if these are not as many steps.
    """
    if sum(count for count, _ in known) != sum(pair.count for pair in pairs):
        raise NotApplicable(rule, "the statement is about other steps")
    entries, left = iter(known), 0
    for pair in pairs:
        rest = pair.count
        while rest:
            while not left:
                left, value = next(entries)
            count = min(rest, left)
            yield count, pair, value
            rest, left = rest - count, left - count
