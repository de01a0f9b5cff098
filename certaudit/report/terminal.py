"""The report a person reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certaudit.judgement.columns import State
from certaudit.report import audit as audit_text
from certaudit.report import words
from certaudit.report.numbers import down, enclosure, up
from certaudit.session import Outcome
from certaudit.verdict import ClaimVerdict, FailedPremise, NamedTheorem, Status

MEANING = {
    Status.PROVED: "a proof in error-bounded arithmetic holds the claim",
    Status.REFUTED: "a proof in error-bounded arithmetic breaks the claim",
    Status.NOT_PROVED: "no rule proves the claim; it may still be true",
    Status.PREMISE_FAILED: "the run breaks what the theorem needs; the claim is not proved",
    Status.NOT_STATED: "no dynamics are stated; nothing is proved",
}


def table(outcome: Outcome) -> Iterator[str]:
    """One line a claim: what each half says, and what is declared, proved and measured; then why a half
    says nothing."""
    head = ["claim", "certificate", "attack", "code", "declared", "proved", "measured"]
    table, attacks = [head], () if outcome.audit is None else outcome.audit.claims
    for k, (row, verdict) in enumerate(zip(outcome.rows, outcome.verdicts, strict=True)):
        table.append(
            [
                row.claim.id,
                *(cell.word for cell in row.cells().values()),
                words.claimed(row.claim),
                words.proved_bound(verdict) if outcome.case.stated else "nothing",
                audit_text.measured(attacks[k]) if attacks else "nothing",
            ]
        )
    widths = [max(len(row[k]) for row in table) for k in range(len(head))]
    for line in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield from _unchecked(outcome)


def _unchecked(outcome: Outcome) -> Iterator[str]:
    """Why a column was not checked, once for all the claims it is the same for."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in outcome.rows:
        for name, cell in row.cells().items():
            if cell.state in (State.UNCHECKED, State.NOT_ASKED):
                reasons.setdefault((name, cell.why), []).append(row.claim.id)
    for (name, why), ids in reasons.items():
        of = "" if len(ids) == len(outcome.rows) else f" ({', '.join(ids)})"
        yield f"{name} not checked{of}: {why}"


def details(verdict: ClaimVerdict) -> Iterator[str]:
    """What stands behind a claim's line."""
    by = f", by {words.by(verdict)}" if verdict.decided_by else ""
    yield f"{verdict.claim.id}: {verdict.status.value}{by} ({MEANING[verdict.status]})"
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
