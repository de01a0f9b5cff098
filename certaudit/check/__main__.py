"""``python -m certaudit.check FILE [--data DATA.json]``: 0 accepted, 1 refused, 2 no certificate."""

from __future__ import annotations

import argparse
import sys

from .checker import Report
from .confined import check_file


def lines_of(report: Report) -> list[str]:
    """The report, line by line; foreign text in full, as ASCII and in quotes."""
    if not report.accepted:
        return [f"refused: {reason}" for reason in report.reasons]
    found = [f"accepted: {report.lines} lines, {len(report.claims)} claims"]
    found += [f"  {claim.verdict}: {claim.kind} claim {claim.name!a}" for claim in report.claims]
    return [*found, *(f"  assumed: {line!a}" for line in report.assumptions)]


def main(arguments: list[str] | None = None) -> int:
    """Check one file."""
    parser = argparse.ArgumentParser(prog="check", description="Check a certificate again.")
    parser.add_argument("file", help="the certificate")
    parser.add_argument(
        "--data", help='{"X": [[number, ...], ...], "y": [number, ...]} where it has none'
    )
    chosen = parser.parse_args(arguments)
    report = check_file(chosen.file, chosen.data)
    print("\n".join(lines_of(report)))
    if report.accepted:
        return 0
    return 1 if report.readable else 2


if __name__ == "__main__":
    sys.exit(main())
