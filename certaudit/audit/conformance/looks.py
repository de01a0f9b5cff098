"""When models are looked at: at sizes fixed in advance, so that an audit may stop at any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from certaudit.audit.conformance.result import Check, ConformanceReport

FIRST = 32
"""Models of each world at the first look; the next are at twice as many each."""


@dataclass(frozen=True)
class Look:
    """The first ``models`` of each world, tested at ``level``."""

    models: int
    level: float


def looks(budget: int, level: float) -> Iterator[Look]:
    """The looks of an audit of at most ``budget`` models in each world, at ``level`` in all.

    At 32, 64, 128, ... models and at the whole budget, which has half of the level; the others share the
    rest.  Sizes and shares depend on the budget alone: by the union bound an honest implementation is
    said to differ at any of them with probability at most ``level``, whatever made the audit stop.
    """
    sizes = [FIRST << k for k in range(max(budget, 1).bit_length()) if FIRST << k < budget]
    for size in sizes:
        yield Look(size, level / (2 * len(sizes)))
    yield Look(budget, level / 2 if sizes else level)


def sequential(
    made: int, budget: int, level: float, compare: Callable[[Look], ConformanceReport]
) -> ConformanceReport:
    """All the looks that ``made`` models allow, as one report.

    Of a check made several times, the first failure is kept, or else the last time.  The looks end at
    the first that says why it cannot compare.
    """
    every = list(looks(budget, level))
    due = [look for look in every if look.models <= made]
    if not due:
        text = f"{made} models of each world were made, the first look is at {every[0].models}"
        return ConformanceReport(level, made, (), skipped=text)
    found: dict[tuple[str, str], Check] = {}
    report = ConformanceReport(level, made, ())
    for look in due:
        report = compare(look)
        for check in report.checks:
            known = found.get((check.name, check.where))
            if known is None or known.passed:
                found[check.name, check.where] = check
        if report.skipped:
            break
    times = f", looked at {len(due)} times" if len(due) > 1 else ""
    return replace(
        report, level=level, checks=tuple(found.values()), compared=f"{report.compared}{times}"
    )
