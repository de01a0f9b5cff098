"""Certificates, checked again by the second checker."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.exits import PROVED, REFUTED

NAME = "check"
SUMMARY = "check certificates again, by the second checker"
EPILOG = (
    "exit code 0: every file accepted; 1: a file rejected; 2: a file that cannot be read, a bad spec"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("file", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--spec", type=Path, metavar="SPEC", help="compare run and claims with a spec, take its data"
    )
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="data the certificates leave out, JSON"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit.checking import check

    accepted, lines = check(options.file, options.spec, options.data)
    for line in lines:
        print(line)
    return PROVED if accepted else REFUTED
