"""Every row as the forgotten point."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.arguments import natural, number
from certaudit.commands.arguments import rows as rows_of
from certaudit.commands.exits import OPEN, PROVED
from certaudit.commands.output import as_json, extra, progress, write
from certaudit.errors import Diagnostic, InputError

NAME = "rank"
SUMMARY = "rank every row as the forgotten point"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument(
        "--delta", type=number, metavar="D", help="default: that of the first claim with one"
    )
    parser.add_argument(
        "--prove", metavar="ROWS", help="prove these rows too: 3,7,40-44 or top:K or all"
    )
    parser.add_argument("--limit", type=natural, default=20, metavar="N", help="rows to print (20)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all rows as CSV")
    parser.add_argument("--parquet", type=Path, metavar="FILE", help="write all rows as Parquet")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw epsilon against rank, as SVG")
    parser.add_argument("--json", metavar="FILE", help="write all rows as JSON (- for stdout)")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import rank, session
    from certaudit.report import rank as report
    from certaudit.report.subjects import alone

    (case,) = session.load([options.spec])
    delta = options.delta
    if delta is None:
        known = [d for d in (getattr(claim, "delta", None) for claim in case.claims) if d]
        if not known:
            raise InputError([case.loaded.problem("no claim has a delta: give --delta", "claims")])
        delta = known[0]
    text = options.prove or ""
    top = _rows_or_top(text)
    rigorous = () if top is not None else rows_of(text, case.run.n, case.run.forget)
    try:
        rows = rank.rank(
            case.run, delta, rigorous=rigorous, top=top or 0, progress=progress("rows proved")
        )
    except rank.NotRankable as reason:
        raise InputError([case.loaded.problem(str(reason), "forget")]) from None
    if options.csv is not None:
        write(options.csv, report.as_csv(rows))
    if options.parquet is not None:
        write(options.parquet, extra(lambda: report.as_parquet(rows), "parquet"))
    if options.plot is not None:
        write(options.plot, extra(lambda: report.as_svg(rows, delta), "plot"))
    unknown = any(one.size == float("inf") for one in rows)
    code = OPEN if unknown else PROVED
    note = alone(case)
    if not as_json(options.json, {"delta": str(delta), "note": note, "rows": report.records(rows)}):
        for line in report.lines(rows, delta, options.limit):
            print(line)
        if note is not None:
            print(f"note: {note}")
    return code


def _rows_or_top(text: str) -> int | None:
    word, _, count = text.partition(":")
    if word != "top":
        return None
    if not (count.isascii() and count.isdecimal()):
        raise InputError([Diagnostic("--prove", f"{text!r} is not top:K")])
    return int(count)
