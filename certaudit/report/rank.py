"""A ranking as a table, CSV, Parquet, JSON or a plot."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from certaudit.rank import Row
from certaudit.report.numbers import down, exact, up

COLUMNS = (
    "row",
    "epsilon_p_q",
    "epsilon_q_p",
    "epsilon",
    "error",
    "norm",
    "target",
    "residual",
    "proved_lower",
    "proved_upper",
    "proved_by",
)


def records(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One plain record a row, in the order of the ranking; numbers as floats, proved ends rounded
    outwards."""
    return [dict(zip(COLUMNS, _cells(one), strict=True)) for one in rows]


def _cells(one: Row) -> tuple[Any, ...]:
    proved = one.proved
    lower = None if proved is None or proved.lower is None else float(down(proved.lower, 12))
    upper = None if proved is None or proved.upper is None else float(up(proved.upper, 12))
    return (
        one.row,
        one.first,
        one.second,
        one.estimate,
        one.error,
        one.norm,
        one.target,
        one.residual,
        lower,
        upper,
        None if proved is None else proved.route,
    )


def lines(rows: Sequence[Row], delta: Fraction, limit: int) -> Iterator[str]:
    """The first ``limit`` rows as a table."""
    yield f"every row as the single forgotten point, epsilon at delta = {exact(delta)}"
    yield "estimates are floats with an estimated error and prove nothing; proved ends round outwards"
    yield ""
    head = ["row", "estimate", "error", "P|Q", "Q|P", "|x|", "y", "residual", "proved", "by"]
    table = [head]
    for one in rows[:limit]:
        numbers = (one.estimate, one.error, one.first, one.second, one.norm, one.target, one.residual)
        shown = ["-" if x is None else f"{x:.6g}" for x in numbers]
        shown[1] = "-" if one.error is None else f"{one.error:.0e}"
        table.append([str(one.row), *shown, *_proved(one)])
    widths = [max(len(line[k]) for line in table) for k in range(len(head))]
    for line in table:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    if len(rows) > limit:
        yield f"... {len(rows) - limit} more rows (--limit, --csv)"


def _proved(one: Row) -> list[str]:
    if one.proved is None:
        return ["-", "-"]
    if one.proved.upper is None:
        return ["nothing", one.proved.route]
    upper = f"≤ {up(one.proved.upper, 7)}"
    lower = f"≥ {down(one.proved.lower, 7)}, " if one.proved.lower is not None else ""
    return [lower + upper, one.proved.route]


def as_csv(rows: Sequence[Row]) -> str:
    """The whole ranking as CSV, empty cells where nothing is known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in one.items()} for one in records(rows))
    return text.getvalue()


def as_parquet(rows: Sequence[Row]) -> bytes:
    """The whole ranking as a Parquet file.  Raises ImportError without pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records(rows)), sink)
    return sink.getvalue()


def as_svg(rows: Sequence[Row], delta: Fraction) -> str:
    """epsilon against rank, estimates and proved ends.  Raises ImportError without matplotlib."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    known = [(k, one.size) for k, one in enumerate(rows, 1) if one.size < float("inf")]
    axes.plot(*zip(*known, strict=True), ".", markersize=3, label="every row") if known else None
    proved = [
        (k, float(one.proved.upper))
        for k, one in enumerate(rows, 1)
        if one.proved is not None and one.proved.upper is not None
    ]
    if proved and len(proved) < len(rows):
        axes.plot(*zip(*proved, strict=True), "v", markersize=5, label="proved upper end")
    axes.set_xlabel("rank of the forgotten row")
    axes.set_ylabel(f"epsilon at delta = {exact(delta)}")
    axes.set_yscale("log")
    axes.legend()
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()
