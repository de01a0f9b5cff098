"""The command line.  Imports are late so that each command loads only what it uses."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certaudit import __version__
from certaudit.errors import Diagnostic, InputError

if TYPE_CHECKING:
    from certaudit.session import Outcome

EXIT_PROVED, EXIT_REFUTED, EXIT_ERROR, EXIT_OPEN = 0, 1, 2, 3
EXIT_CODES = """exit codes:
  0  every claim proved, and no audit objects
  1  a claim refuted, by proof or statistically (wins over 3)
  2  could not run: bad spec, data or arguments, no claims at all, internal error
  3  a claim not proved, or a premise failed, or a check skipped
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except InputError as error:
        for diagnostic in error.diagnostics:
            print(diagnostic, file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("certaudit: interrupted", file=sys.stderr)
    except Exception as error:
        if os.environ.get("CERTAUDIT_DEBUG"):
            raise
        reason = " ".join(str(error).split()) or "no further detail"
        print(f"certaudit: internal error: {type(error).__name__}: {reason}", file=sys.stderr)
    return EXIT_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="certaudit",
        description="Check certificates of machine unlearning: prove them, and attack the code.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"certaudit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    verify = _command(commands, "verify", "prove or refute every claim of each spec", _verify)
    verify.add_argument("spec", nargs="+", type=Path, metavar="SPEC")
    _add_output(verify)

    audit = _command(commands, "audit", "verify, then train shadow models and attack", _audit)
    audit.add_argument("spec", type=Path, metavar="SPEC")
    _add_output(audit)
    audit.add_argument("--seed", type=_natural, metavar="N", help="seed of the shadow models")
    audit.add_argument("--shadows", type=_shadows, metavar="N", help="most shadow models in each world")
    audit.add_argument(
        "--design", choices=("sequential", "fixed"), help="stop early, or train and test all at once"
    )

    power = _command(commands, "power", "say what an audit could see, before training anything", _power)
    power.add_argument("spec", type=Path, metavar="SPEC")
    power.add_argument("--claim", metavar="ID", help="only this claim")
    power.add_argument("--epsilon", type=_positive, metavar="E", help="suppose the true epsilon is this")
    power.add_argument("--shadows", type=_shadows, metavar="N", help="most shadow models in each world")

    derive = _command(commands, "derive", "print the derivation of every verdict", _derive)
    derive.add_argument("spec", type=Path, metavar="SPEC")
    derive.add_argument("--latex", action="store_true", help="statements as LaTeX")
    derive.add_argument("--claim", metavar="ID", help="only this claim")
    derive.add_argument("--save", type=Path, metavar="FILE", help="write the derivation for `check`")

    _command(commands, "schema", "print the JSON Schema of the spec", _schema)
    return parser


def _command(commands: Any, name: str, summary: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write the full report as JSON (- for stdout)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for reports and shadows")
    parser.add_argument("--claim", metavar="ID", help="check only this claim")


def _natural(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2^63 - 1")
    return number


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, at most 100")
    return number


def _shadows(text: str) -> int:
    number = _natural(text)
    if number < 8 or number % 2 or number > 10**7:
        raise argparse.ArgumentTypeError(f"{text!r} is not an even number from 8 to 10^7")
    return number


def _verify(options: argparse.Namespace) -> int:
    from certaudit import session

    cases = session.load(options.spec, options.claim)
    return _finish([session.verify(case) for case in cases], options)


def _audit(options: argparse.Namespace) -> int:
    from certaudit import session

    (case,) = session.load([options.spec], options.claim)
    if options.out is not None:
        _make_folder(options.out)
    outcome = session.audit(
        case,
        seed=options.seed,
        shadows=options.shadows,
        design=options.design,
        out=options.out,
    )
    return _finish([outcome], options)


def _power(options: argparse.Namespace) -> int:
    from certaudit import session
    from certaudit.report.power import lines

    (case,) = session.load([options.spec], options.claim)
    for line in lines(case, epsilon=options.epsilon, shadows=options.shadows):
        print(line)
    return EXIT_PROVED


def _derive(options: argparse.Namespace) -> int:
    from certaudit import session
    from certaudit.report.text import derivations

    (case,) = session.load([options.spec], options.claim)
    outcome = session.verify(case)
    if options.save is not None:
        from certaudit.report import saved

        _write(options.save, json.dumps(saved.document(outcome), indent=1, ensure_ascii=False) + "\n")
    for line in derivations(outcome, latex=options.latex):
        print(line)
    return _exit_code([outcome])


def _schema(options: argparse.Namespace) -> int:
    from certaudit.spec.model import Spec

    print(json.dumps(Spec.model_json_schema(), indent=2))
    return EXIT_PROVED


def _finish(outcomes: list[Outcome], options: argparse.Namespace) -> int:
    from certaudit.report import document, text

    code = _exit_code(outcomes)
    if options.json is not None or options.out is not None:
        data = document.report([document.outcome(one) for one in outcomes], code)
        serialized = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        if options.out is not None:
            _make_folder(options.out)
            _write(options.out / "report.json", serialized)
            _write(options.out / "report.txt", "\n".join(text.report(outcomes)) + "\n")
        if options.json == "-":
            print(serialized, end="")
            return code
        if options.json is not None:
            _write(Path(options.json), serialized)
    for line in text.report(outcomes):
        print(line)
    return code


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    if any(outcome.refuted for outcome in outcomes):
        return EXIT_REFUTED
    return EXIT_PROVED if all(outcome.proved for outcome in outcomes) else EXIT_OPEN


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError([Diagnostic(str(folder), error.strerror or "cannot be made")]) from None


def _write(path: Path, text: str) -> None:
    """Write a whole file or nothing: a temporary file beside it, then a rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError([Diagnostic(str(path), error.strerror or "cannot be written")]) from None
