"""The formal half."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.arguments import add_output
from certaudit.commands.output import finish

NAME = "verify"
SUMMARY = "prove or refute every claim of each spec"
RESULT = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", nargs="+", type=Path, metavar="SPEC")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import session

    cases = session.load(
        options.spec,
        options.claim,
        policy=options.policy,
        accept_unchecked=options.accept_unchecked,
        unknown=True,
    )
    return finish([session.verify(case) for case in cases], options)
