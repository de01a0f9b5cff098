"""What a claim means: the best attacker it leaves, as claimed and as proved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from certaudit.judgement.attacker import RATES, Attacker, attacker
from certaudit.report import words
from certaudit.report.numbers import exact, up
from certaudit.verdict import ClaimVerdict

OPENING = "what it means: an attacker who says which world a released model is of, at best"


def attackers(verdict: ClaimVerdict) -> dict[str, Attacker]:
    """The best attacker at the claimed value, and at the best proved one; empty for claims about a
    step."""
    claim, found = verdict.claim, {}
    bound = next((one for one in verdict.bounds if one.value is not None), None)
    values = {"claimed": getattr(claim, words.quantity(claim)), "proved": bound and bound.value}
    for name, value in values.items():
        best = None if value is None else attacker(claim, value)
        if best is not None:
            found[name] = best
    return found


def lines(verdict: ClaimVerdict) -> Iterator[str]:
    """A small table."""
    found = attackers(verdict)
    if not found:
        return
    yield f"  {OPENING}"
    rates = [exact(rate) for rate in RATES]
    rows = [["false-positive rate", *rates, "best advantage"]]
    for name, best in found.items():
        numbers = [*best.rates, best.advantage]
        rows.append([f"true-positive rate, as {name}", *(f"≤ {up(x, 3)}" for x in numbers)])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        yield "    " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def data(verdict: ClaimVerdict) -> dict[str, Any] | None:
    """The same as data, numbers at or above the truth."""
    found = attackers(verdict)
    if not found:
        return None
    return {
        "false_positive_rates": [exact(rate) for rate in RATES],
        **{
            name: {
                "true_positive_rates": [up(rate, 6) for rate in best.rates],
                "advantage": up(best.advantage, 6),
            }
            for name, best in found.items()
        },
    }
