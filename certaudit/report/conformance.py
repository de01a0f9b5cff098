"""Conformance in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from certaudit.verdict import Status

if TYPE_CHECKING:
    from certaudit.audit.conformance.result import Check, ConformanceReport


def lines(report: ConformanceReport) -> Iterator[str]:
    """What was compared with the exact law, and what did not fit."""
    if report.skipped:
        yield f"conformance: not checked: {report.skipped}"
        return
    made = report.compared
    share = f"an honest implementation fails with probability at most {report.level:.3g} in all"
    if not report.differs:
        yield f"conformance: {made}: no difference found in {len(report.checks)} tests ({share})"
        return
    yield f"conformance: {Status.IMPLEMENTATION_DIFFERS.value.upper()}: {made}"
    yield f"  {len(report.failures)} of {len(report.checks)} tests fail; {share}"
    yield from (f"  {_line(check)}" for check in report.failures)
    yield "  what is proved about the spec stays proved; the implementation is not the spec's"


def _line(check: Check) -> str:
    return f"{check.name}, {check.where}: {check.meaning} (p {_p(check)}, needed {check.threshold:.2g})"


def _p(check: Check) -> str:
    return f"= {check.p_value:.2g}" if check.p_value >= 1e-300 else "< 1e-300"
