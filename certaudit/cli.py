"""The command line: gathers the commands, turns errors into one line each."""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from certaudit import __version__
from certaudit.commands import commands
from certaudit.commands.exits import ERROR, WORDS
from certaudit.commands.output import failed
from certaudit.errors import InputError, InputWarning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            _warnings_in_one_line()
            code: int = options.run(options)
        sys.stdout.flush()
        return code
    except InputError as error:
        reasons = [str(diagnostic) for diagnostic in error.diagnostics]
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ERROR
    except KeyboardInterrupt:
        reasons = ["certaudit: interrupted"]
    except Exception as error:
        if os.environ.get("CERTAUDIT_DEBUG"):
            raise
        reason = " ".join(str(error).split()) or "no further detail"
        reasons = [f"certaudit: internal error: {type(error).__name__}: {reason}"]
    for reason in reasons:
        print(reason, file=sys.stderr)
    if options.result:
        failed(options, reasons)
    return ERROR


def _warnings_in_one_line() -> None:
    """What may not be meant in the input, a line each on stderr; other warnings as they are."""
    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, InputWarning):
            print(f"warning: {message}", file=sys.stderr)
        else:
            usual(message, category, filename, lineno, file, line)

    warnings.simplefilter("always", InputWarning)
    warnings.showwarning = show


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="certaudit",
        description="Check certificates of machine unlearning: prove them, and attack the code.",
        epilog=WORDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"certaudit {__version__}")
    chosen = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in commands().items():
        one = chosen.add_parser(
            name,
            help=module.SUMMARY,
            description=module.SUMMARY,
            epilog=getattr(module, "EPILOG", WORDS),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.arguments(one)
        one.set_defaults(run=module.run, result=getattr(module, "RESULT", False))
    return parser
