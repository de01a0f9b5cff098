"""Both halves."""

from __future__ import annotations

import argparse
from pathlib import Path

from certaudit.commands.arguments import add_output, natural, seeds, shadows, workers
from certaudit.commands.output import finish, make_folder

NAME = "audit"
SUMMARY = "verify, then train shadow models and attack"
RESULT = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("spec", type=Path, metavar="SPEC")
    parser.add_argument("--seed", type=natural, metavar="N", help="seed of the shadow models")
    parser.add_argument(
        "--seeds", type=seeds, default=1, metavar="N", help="audits with N seeds at one level in all (1)"
    )
    parser.add_argument("--shadows", type=shadows, metavar="N", help="most shadow models in each world")
    parser.add_argument(
        "--design", choices=("sequential", "fixed"), help="stop early, or train and test all at once"
    )
    parser.add_argument(
        "--allow-code", action="store_true", help="run the implementation that the spec names"
    )
    parser.add_argument(
        "--workers", type=workers, default=1, metavar="N", help="processes that run it (1)"
    )
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from certaudit import session

    (case,) = session.load(
        [options.spec],
        options.claim,
        policy=options.policy,
        accept_unchecked=options.accept_unchecked,
        unknown=True,
    )
    if options.out is not None:
        make_folder(options.out)
    outcomes = session.audits(
        case,
        seed=options.seed,
        seeds=options.seeds,
        shadows=options.shadows,
        design=options.design,
        out=options.out,
        allow_code=options.allow_code,
        workers=options.workers,
    )
    return finish(outcomes, options)
