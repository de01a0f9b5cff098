"""What an audit could see."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.arguments import positive, shadows
from certaudit.commands.exits import PROVED

NAME = "power"
SUMMARY = "say what an audit could see, before training anything"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("--claim", metavar="ID", help="only this claim")
    parser.add_argument("--epsilon", type=positive, metavar="E", help="suppose the true epsilon is this")
    parser.add_argument("--shadows", type=shadows, metavar="N", help="most shadow models in each world")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import session
    from certaudit.report.power import lines

    (case,) = session.load([options.spec], options.claim, unknown=True)
    for line in lines(case, epsilon=options.epsilon, shadows=options.shadows):
        print(line)
    return PROVED
