"""The report a person reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certaudit.report import words
from certaudit.report.numbers import down, enclosure, up
from certaudit.verdict import ClaimVerdict, FailedPremise, NamedTheorem, Status

MEANING = {
    Status.PROVED: "a proof in error-bounded arithmetic holds the claim",
    Status.REFUTED: "a proof in error-bounded arithmetic breaks the claim",
    Status.REFUTED_STATISTICALLY: "shadow models break the claim at the stated confidence",
    Status.NOT_PROVED: "no rule proves the claim; it may still be true",
    Status.PREMISE_FAILED: "the run breaks what the theorem needs; the claim is not proved",
}


def table(verdicts: Sequence[ClaimVerdict], audit: Sequence[str] | None) -> Iterator[str]:
    """One line a claim: verdict, claimed, proved bound, by which rules, audit's lower bound."""
    rows = [["claim", "verdict", "claimed", "proved", "by"]]
    for verdict in verdicts:
        rows.append(
            [
                verdict.claim.id,
                verdict.status.value.upper(),
                words.claimed(verdict.claim),
                words.proved_bound(verdict),
                words.by(verdict),
            ]
        )
    if audit is not None:
        for row, cell in zip(rows, ["audit", *audit], strict=True):
            row.append(cell)
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def details(verdict: ClaimVerdict) -> Iterator[str]:
    """What stands behind a claim's line."""
    yield f"{verdict.claim.id}: {verdict.status.value} ({MEANING[verdict.status]})"
    for one in verdict.bounds:
        exact_range = (
            f"; proved at least {down(one.floor)}"
            if one.floor is not None and one.value is not None
            else ""
        )
        yield f"  {one.route}: {words.bound(one)}{exact_range}"
    for note in verdict.notes:
        yield f"  note: {note}"
    if verdict.named is not None:
        yield from _named(verdict, verdict.named)
    told = verdict.named.failed if verdict.named else ()
    for failed in verdict.failed:
        if failed not in told:
            yield f"  premise failed: {_failed(failed)}"


def _named(verdict: ClaimVerdict, named: NamedTheorem) -> Iterator[str]:
    yield f"  named theorem {named.name} ({named.source})"
    if named.failed:
        yield "    does not apply: the run breaks its premises"
        for failed in named.failed:
            yield f"    premise failed: {_failed(failed)}"
    elif named.value is not None:
        symbol = words.SYMBOLS[words.quantity(verdict.claim)]
        best = next((b.value for b in verdict.bounds if b.value), None)
        times = f", {float(named.value / best):.3g} times the best bound" if best else ""
        yield f"    its own value: {symbol} ≤ {up(named.value)}{times}"
    else:
        yield "    gives no value for this claim"
    for assumption in named.assumed:
        yield f"    assumed, not checked: {assumption}"


def _failed(failed: FailedPremise) -> str:
    numbers = ", ".join(f"{name} = {enclosure(value, 6)}" for name, value in failed.premise.numbers)
    return f"{failed.rule}: {failed.premise.text}" + (f" ({numbers})" if numbers else "")


def skipped(verdicts: Sequence[ClaimVerdict]) -> Iterator[str]:
    """Rules that gave nothing, once each, with the reason."""
    lines: dict[str, None] = {}
    for verdict in verdicts:
        lines |= dict.fromkeys(verdict.skipped)
    yield from lines
