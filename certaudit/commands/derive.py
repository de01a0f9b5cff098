"""The derivation of every verdict."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from certaudit.commands.exits import CODES
from certaudit.commands.output import write

if TYPE_CHECKING:
    from certaudit.session import Outcome

NAME = "derive"
SUMMARY = "print the derivation of every verdict"
EPILOG = "exit code 0: every claim proved; 1: one refuted by proof; 2: could not run; 3: one not proved"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("--latex", action="store_true", help="statements as LaTeX")
    parser.add_argument("--claim", metavar="ID", help="only this claim")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the certificate for `check`")
    parser.add_argument(
        "--include-data", action="store_true", help="write the data into it, the removed rows too"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import session
    from certaudit.report.text import derivations

    (case,) = session.load([options.spec], options.claim)
    outcome = session.verify(case)
    if options.save is not None:
        _save(outcome, options)
    for line in derivations(outcome, latex=options.latex):
        print(line)
    return CODES[outcome.certified]


def _save(outcome: Outcome, options: argparse.Namespace) -> None:
    from certaudit import session
    from certaudit.certificate.record import Spec
    from certaudit.certificate.write import document, dumps

    decided, loaded = session.decided(outcome), outcome.case.loaded
    if not decided:
        print(f"{options.save}: not written: no claim is proved or refuted", file=sys.stderr)
        return
    spec = Spec(loaded.spec.name, loaded.sha256)
    content = document(outcome.case.run, decided, spec, include_data=options.include_data)
    write(options.save, dumps(content))
