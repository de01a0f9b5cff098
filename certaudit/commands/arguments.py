"""Types of command-line arguments, each with the words for what it wants."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from certaudit.errors import Diagnostic, InputError


def number(text: str) -> Fraction:
    """An exact number from 0 up."""
    from certaudit.data.number import NumberError, parse_number

    try:
        number = parse_number(text)
    except NumberError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if number is None or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return number


def natural(text: str) -> int:
    """A whole number from 0 up."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2^63 - 1")
    return number


def positive(text: str) -> float:
    """A float above 0, at most 100."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, at most 100")
    return number


def workers(text: str) -> int:
    """A number of processes."""
    number = natural(text)
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 256")
    return number


def shadows(text: str) -> int:
    """An even number of shadow models."""
    number = natural(text)
    if number < 8 or number % 2 or number > 10**7:
        raise argparse.ArgumentTypeError(f"{text!r} is not an even number from 8 to 10^7")
    return number


def rows(text: str, n: int, own: Sequence[int]) -> list[int]:
    """Row numbers from ``3,7,40-44``, ``all``, ``spec`` or nothing."""
    if text in ("all", "spec"):
        return list(range(n)) if text == "all" else list(own)
    rows: list[int] = []
    for part in filter(None, text.split(",")):
        first, dash, last = part.partition("-")
        ends = (first, last if dash else first)
        known = all(end.isascii() and end.isdecimal() and int(end) < n for end in ends)
        if not known or int(ends[0]) > int(ends[1]):
            message = f"{part!r} names no rows of the data, which has rows 0 to {n - 1}"
            raise InputError([Diagnostic("rows", message)])
        rows += range(int(ends[0]), int(ends[1]) + 1)
    return list(dict.fromkeys(rows))


def seeds(text: str) -> int:
    """A number of seeds."""
    number = natural(text)
    if not 1 <= number <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000")
    return number


def add_output(parser: argparse.ArgumentParser) -> None:
    """The options of commands that end in a report with a result."""
    parser.add_argument("--policy", type=Path, metavar="FILE", help="what PASS requires as well, YAML")
    parser.add_argument(
        "--accept-unchecked",
        action="store_true",
        help="let pass, by name, what could not be checked (never what is not proved or objects)",
    )
    parser.add_argument("--json", metavar="FILE", help="write the full report as JSON (- for stdout)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for reports and shadows")
    parser.add_argument("--claim", metavar="ID", help="check only this claim")
