"""Recorded traces of other code against the spec."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.exits import PROVED, REFUTED
from certaudit.commands.output import as_json

NAME = "conform"
SUMMARY = "compare recorded traces of an implementation"
EPILOG = "exit code 0: no difference found; 1: the implementation differs; 2: no trace"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("trace", nargs="+", type=Path, metavar="TRACE", help="npz files")
    parser.add_argument("--world", choices=("P", "Q"), default="P", help="which world they are of (P)")
    parser.add_argument("--json", metavar="FILE", help="write the checks as JSON (- for stdout)")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from dataclasses import asdict

    from certaudit import session
    from certaudit.report import conformance as report

    (case,) = session.load([options.spec])
    found = session.conform(case, options.trace, options.world)
    data = [{"trace": str(path), "differs": one.differs, **asdict(one)} for path, one in found]
    if not as_json(options.json, {"world": options.world, "traces": data}):
        for path, one in found:
            print(f"{path}:")
            for line in report.lines(one):
                print(f"  {line}")
    return REFUTED if any(one.differs for _, one in found) else PROVED
