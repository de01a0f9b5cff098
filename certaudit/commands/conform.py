"""Recorded traces of other code against the spec."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.exits import CODES
from certaudit.commands.output import as_json

NAME = "conform"
SUMMARY = "compare recorded traces of an implementation"
RESULT = True
EPILOG = (
    "exit code 0: no difference found; 1: the implementation differs; 2: no trace;\n"
    "3: a trace that could not be compared"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("trace", nargs="+", type=Path, metavar="TRACE", help="npz files")
    parser.add_argument("--world", choices=("P", "Q"), default="P", help="which world they are of (P)")
    parser.add_argument("--json", metavar="FILE", help="write the checks as JSON (- for stdout)")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import session
    from certaudit.judgement.columns import conformed
    from certaudit.judgement.result import overall
    from certaudit.report import conformance as report
    from certaudit.report.text import line

    (case,) = session.load([options.spec])
    found = session.conform(case, options.trace, options.world)
    judged = overall([(str(path), conformed(one)) for path, one in found])
    code = CODES[judged.result]
    data = [{"trace": str(path), "differs": one.differs, **report.data(one)} for path, one in found]
    result = {"result": judged.result.value, "reason": judged.reason, "exit_code": code}
    if not as_json(options.json, {**result, "world": options.world, "traces": data}):
        print(line(judged, code))
        for path, one in found:
            print(f"{path}:")
            for text in report.lines(one):
                print(f"  {text}")
        print(line(judged, code))
    return code
