"""A calibration as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from certaudit.calibrate import ROUTES, Calibration, Solve
from certaudit.report.numbers import exact

NAMES = {
    "noise": "least unlearning noise (standard deviation a step)",
    "steps": "fewest unlearning steps",
}
SEARCH = {
    "noise": "each value was proved at exactly that value; less noise, by more than a unit or two of "
    "its last digit, was not proved by that route",
    "steps": "each value was proved at exactly that value; fewer steps were not proved by that route",
}


def lines(
    rows: Sequence[Calibration], epsilon: Fraction, delta: Fraction, solve: Solve
) -> Iterator[str]:
    """The table, with the value that serves every row at its foot."""
    yield f"{NAMES[solve]} proved to give epsilon = {exact(epsilon)} at delta = {exact(delta)}"
    yield SEARCH[solve]
    yield ""
    table = [["row", *ROUTES, "saving"]]
    for one in rows:
        table.append([str(one.row), *(_shown(one.least[route]) for route in ROUTES), _saving(one)])
    if len(rows) > 1:
        table.append([f"all {len(rows)}", *(_shown(worst(rows)[route]) for route in ROUTES), ""])
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    for line in table:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield ""
    yield "I1: or I2, where an observer sees every iterate or a step may not contract"
    yield "saving: the best bound without the exact tier, over the exact tier"


def worst(rows: Sequence[Calibration]) -> dict[str, Fraction | None]:
    """For each route the value that serves every row; None if one row has none."""
    result: dict[str, Fraction | None] = {}
    for route in ROUTES:
        values = [one.least[route] for one in rows]
        known = [value for value in values if value is not None]
        result[route] = max(known) if len(known) == len(values) else None
    return result


def records(rows: Sequence[Calibration]) -> list[dict[str, Any]]:
    """One plain record a row; numbers exact, as text."""
    return [{"row": one.row, **{route: _plain(one.least[route]) for route in ROUTES}} for one in rows]


def as_csv(rows: Sequence[Calibration]) -> str:
    """The table as CSV, empty cells where nothing is proved."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["row", *ROUTES], lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in one.items()} for one in records(rows))
    return text.getvalue()


def _plain(value: Fraction | None) -> str | None:
    return None if value is None else exact(value)


def _shown(value: Fraction | None) -> str:
    return "none" if value is None else exact(value)


def _saving(one: Calibration) -> str:
    *others, best = (one.least[route] for route in ROUTES)
    known = [value for value in others if value is not None]
    if not known or not best:
        return "-"
    return f"{float(min(known) / best):.3g} x"
