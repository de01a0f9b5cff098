"""Writing results: whole files or nothing, JSON, progress, and the exit code of verdicts."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from certaudit.commands.exits import CODES, ERROR
from certaudit.errors import Diagnostic, InputError

if TYPE_CHECKING:
    from certaudit.session import Outcome

T = TypeVar("T")


def finish(outcomes: list[Outcome], options: argparse.Namespace) -> int:
    """Print the report, write the files asked for, return the exit code."""
    from certaudit.report.formats import FORMATS

    code = exit_code(outcomes)
    if options.out is not None:
        make_folder(options.out)
        for one in FORMATS.values():
            write(options.out / f"report.{one.suffix}", one.render(outcomes, code))
    if options.json is not None:
        serialized = FORMATS["json"].render(outcomes, code)
        if options.json == "-":
            print(serialized, end="")
            return code
        write(Path(options.json), serialized)
    print(FORMATS["text"].render(outcomes, code), end="")
    return code


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """The code of the worst result; of no outcome at all, ERROR's."""
    from certaudit.judgement.result import worst

    return CODES[worst(outcome.result for outcome in outcomes)]


def failed(options: argparse.Namespace, reasons: Sequence[str]) -> None:
    """Say on stdout that there is no result, in the form that was asked for."""
    from certaudit.judgement.result import Judgement, Result, together_texts
    from certaudit.report.document import error
    from certaudit.report.text import line

    if options.json == "-":
        print(json.dumps(error(reasons, ERROR), indent=1, ensure_ascii=False))
    else:
        print(line(Judgement(Result.ERROR, together_texts(reasons)), ERROR))


def make_folder(folder: Path) -> None:
    """Make a folder; raises InputError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError([Diagnostic(str(folder), error.strerror or "cannot be made")]) from None


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing: a temporary file beside it, then a rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError([Diagnostic(str(path), error.strerror or "cannot be written")]) from None


def as_json(target: str | None, data: dict[str, Any]) -> bool:
    """Write ``data``; True if it went to stdout."""
    if target is None:
        return False
    serialized = json.dumps(data, indent=1) + "\n"
    if target == "-":
        print(serialized, end="")
        return True
    write(Path(target), serialized)
    return False


def extra(make: Callable[[], T], name: str) -> T:
    """What ``make`` gives; raises InputError naming the extra to install if a package is missing."""
    try:
        return make()
    except ImportError as error:
        message = f"{error.name} is not installed: pip install 'certaudit[{name}]'"
        raise InputError([Diagnostic("certaudit", message)]) from None


def progress(unit: str) -> Callable[[int, int], None] | None:
    """A line on stderr that counts up, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        print(f"\r{done}/{total} {unit}", end="" if done < total else "\n", file=sys.stderr, flush=True)

    return show
