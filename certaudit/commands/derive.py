"""The derivation of every verdict."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from certaudit.commands.output import exit_code, write

NAME = "derive"
SUMMARY = "print the derivation of every verdict"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("--latex", action="store_true", help="statements as LaTeX")
    parser.add_argument("--claim", metavar="ID", help="only this claim")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the derivation for `check`")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import session
    from certaudit.report.text import derivations

    (case,) = session.load([options.spec], options.claim)
    outcome = session.verify(case)
    if options.save is not None:
        from certaudit.report import saved

        write(options.save, json.dumps(saved.document(outcome), indent=1, ensure_ascii=False) + "\n")
    for line in derivations(outcome, latex=options.latex):
        print(line)
    return exit_code([outcome])
