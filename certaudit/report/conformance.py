"""Conformance in words and as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from certaudit.verdict import Status

if TYPE_CHECKING:
    from certaudit.audit.conformance.result import Check, ConformanceReport

NO_DIFFERENCE = "no difference found"


def cell(report: ConformanceReport) -> str:
    """The code's column of a table: what was found, or why nothing was looked at."""
    if report.state == "not checked":
        return f"not checked: {report.skipped}"
    return "differs" if report.differs else NO_DIFFERENCE


def lines(report: ConformanceReport) -> Iterator[str]:
    """What was compared with what, what did not fit, and what would have been seen."""
    if report.state == "not checked":
        yield f"conformance: not checked: {report.skipped}"
        return
    share = f"an honest implementation fails with probability at most {report.level:.3g} in all"
    if report.differs:
        yield f"conformance: {Status.IMPLEMENTATION_DIFFERS.value.upper()}: {report.compared}"
        yield f"  {len(report.failures)} of {len(report.checks)} tests fail; {share}"
        yield from (f"  {_line(check)}" for check in report.failures)
        yield "  what is proved about the spec stays proved; the implementation is not the spec's"
    else:
        found = f"{NO_DIFFERENCE} in {len(report.checks)} tests ({share})"
        yield f"conformance: {report.compared}: {found}"
        yield from (f"  {text}" for text in report.sees)
    if report.skipped:
        yield f"  not checked to the end: {report.skipped}"


def data(report: ConformanceReport) -> dict[str, Any]:
    """JSON-ready: the verdict, every check and whether it passed; meanings of failures only."""
    verdict = {
        "differs": Status.IMPLEMENTATION_DIFFERS.value,
        "passed": NO_DIFFERENCE,
        "not checked": "skipped",
    }[report.state]
    return {
        "verdict": verdict,
        "passed": None if report.state == "not checked" else report.passed,
        "failed": [check.name for check in report.failures],
        **asdict(report),
        "checks": [_check(check) for check in report.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    fields = {"passed": check.passed, **asdict(check)}
    if check.passed:
        del fields["meaning"]
    return fields


def _line(check: Check) -> str:
    return f"{check.name}, {check.where}: {check.meaning} (p {_p(check)}, needed {check.threshold:.2g})"


def _p(check: Check) -> str:
    return f"= {check.p_value:.2g}" if check.p_value >= 1e-300 else "< 1e-300"
