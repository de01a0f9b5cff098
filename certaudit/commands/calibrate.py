"""Least noise or fewest steps for each row."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.arguments import number
from certaudit.commands.arguments import rows as rows_of
from certaudit.commands.exits import OPEN, PROVED
from certaudit.commands.output import as_json, progress, write
from certaudit.errors import InputError

NAME = "calibrate"
SUMMARY = "find the least noise or fewest steps provable for each row"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("--epsilon", type=number, required=True, metavar="E")
    parser.add_argument("--delta", type=number, required=True, metavar="D")
    parser.add_argument(
        "--rows", default="spec", metavar="ROWS", help="3,7,40-44 or all; default: the spec's"
    )
    parser.add_argument("--solve", choices=("noise", "steps"), default="noise")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV")
    parser.add_argument("--json", metavar="FILE", help="write the table as JSON (- for stdout)")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import calibrate, session
    from certaudit.report import calibrate as report
    from certaudit.report.subjects import alone

    (case,) = session.load([options.spec])
    run = case.run
    wanted = rows_of(options.rows, run.n, run.forget)
    try:
        rows = calibrate.calibrate(
            run, wanted, options.epsilon, options.delta, options.solve, progress("rows calibrated")
        )
    except calibrate.NotCalibratable as reason:
        raise InputError([case.loaded.problem(str(reason), "reference")]) from None
    if options.csv is not None:
        write(options.csv, report.as_csv(rows))
    note = alone(case)
    data = {
        "epsilon": str(options.epsilon),
        "delta": str(options.delta),
        "solve": options.solve,
        "note": note,
        "rows": report.records(rows),
    }
    if not as_json(options.json, data):
        for line in report.lines(rows, options.epsilon, options.delta, options.solve):
            print(line)
        if note is not None:
            print(f"note: {note}")
    proved = all(any(value is not None for value in one.least.values()) for one in rows)
    return PROVED if proved else OPEN
