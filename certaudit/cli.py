"""The command line.  Imports are late so that each command loads only what it uses."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from certaudit import __version__
from certaudit.errors import Diagnostic, InputError

if TYPE_CHECKING:
    from certaudit.session import Outcome

EXIT_PROVED, EXIT_REFUTED, EXIT_ERROR, EXIT_OPEN = 0, 1, 2, 3
EXIT_CODES = """exit codes:
  0  every claim proved, and no audit objects
  1  a claim refuted, by proof or statistically, or the implementation differs (wins over 3)
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
    audit.add_argument(
        "--allow-code", action="store_true", help="run the implementation that the spec names"
    )
    audit.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="processes that run it (1)"
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

    rank = _command(commands, "rank", "rank every row as the forgotten point", _rank)
    rank.add_argument("spec", type=Path, metavar="SPEC")
    rank.add_argument(
        "--delta", type=_number, metavar="D", help="default: that of the first claim with one"
    )
    rank.add_argument("--prove", metavar="ROWS", help="prove these rows too: 3,7,40-44 or top:K or all")
    rank.add_argument("--limit", type=_natural, default=20, metavar="N", help="rows to print (20)")
    rank.add_argument("--csv", type=Path, metavar="FILE", help="write all rows as CSV")
    rank.add_argument("--parquet", type=Path, metavar="FILE", help="write all rows as Parquet")
    rank.add_argument("--plot", type=Path, metavar="FILE", help="draw epsilon against rank, as SVG")
    rank.add_argument("--json", metavar="FILE", help="write all rows as JSON (- for stdout)")

    least = _command(
        commands, "calibrate", "find the least noise or fewest steps provable for each row", _calibrate
    )
    least.add_argument("spec", type=Path, metavar="SPEC")
    least.add_argument("--epsilon", type=_number, required=True, metavar="E")
    least.add_argument("--delta", type=_number, required=True, metavar="D")
    least.add_argument(
        "--rows", default="spec", metavar="ROWS", help="3,7,40-44 or all; default: the spec's"
    )
    least.add_argument("--solve", choices=("noise", "steps"), default="noise")
    least.add_argument("--csv", type=Path, metavar="FILE", help="write the table as CSV")
    least.add_argument("--json", metavar="FILE", help="write the table as JSON (- for stdout)")

    check = _command(commands, "check", "check saved derivations again, independently", _check)
    check.epilog = "exit code 0: every file accepted; 1: a file rejected; 2: no readable derivation"
    check.add_argument("file", nargs="+", type=Path, metavar="FILE")
    check.add_argument("--spec", type=Path, metavar="SPEC", help="compare run and claims with a spec")

    conform = _command(commands, "conform", "compare recorded traces of an implementation", _conform)
    conform.epilog = "exit code 0: no difference found; 1: the implementation differs; 2: no trace"
    conform.add_argument("spec", type=Path, metavar="SPEC")
    conform.add_argument("trace", nargs="+", type=Path, metavar="TRACE", help="npz files")
    conform.add_argument("--world", choices=("P", "Q"), default="P", help="which world they are of (P)")
    conform.add_argument("--json", metavar="FILE", help="write the checks as JSON (- for stdout)")

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


def _number(text: str) -> Fraction:
    from certaudit.data.number import NumberError, parse_number

    try:
        number = parse_number(text)
    except NumberError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
    if number is None or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return number


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


def _workers(text: str) -> int:
    number = _natural(text)
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 256")
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
        allow_code=options.allow_code,
        workers=options.workers,
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


def _rank(options: argparse.Namespace) -> int:
    from certaudit import rank, session
    from certaudit.report import rank as report

    (case,) = session.load([options.spec])
    delta = options.delta
    if delta is None:
        known = [d for d in (getattr(claim, "delta", None) for claim in case.claims) if d]
        if not known:
            raise InputError([case.loaded.problem("no claim has a delta: give --delta", "claims")])
        delta = known[0]
    text = options.prove or ""
    top = _rows_or_top(text)
    rigorous = () if top is not None else _rows(text, case.run.n, case.run.forget)
    try:
        rows = rank.rank(
            case.run, delta, rigorous=rigorous, top=top or 0, progress=_progress("rows proved")
        )
    except rank.NotRankable as reason:
        raise InputError([case.loaded.problem(str(reason), "forget")]) from None
    if options.csv is not None:
        _write(options.csv, report.as_csv(rows))
    if options.parquet is not None:
        _write(options.parquet, _extra(lambda: report.as_parquet(rows), "parquet"))
    if options.plot is not None:
        _write(options.plot, _extra(lambda: report.as_svg(rows, delta), "plot"))
    unknown = any(one.size == float("inf") for one in rows)
    code = EXIT_OPEN if unknown else EXIT_PROVED
    if not _json(options.json, {"delta": str(delta), "rows": report.records(rows)}):
        for line in report.lines(rows, delta, options.limit):
            print(line)
    return code


def _calibrate(options: argparse.Namespace) -> int:
    from certaudit import calibrate, session
    from certaudit.report import calibrate as report

    (case,) = session.load([options.spec])
    run = case.run
    wanted = _rows(options.rows, run.n, run.forget)
    try:
        rows = calibrate.calibrate(
            run, wanted, options.epsilon, options.delta, options.solve, _progress("rows calibrated")
        )
    except calibrate.NotCalibratable as reason:
        raise InputError([case.loaded.problem(str(reason), "reference")]) from None
    if options.csv is not None:
        _write(options.csv, report.as_csv(rows))
    data = {
        "epsilon": str(options.epsilon),
        "delta": str(options.delta),
        "solve": options.solve,
        "rows": report.records(rows),
    }
    if not _json(options.json, data):
        for line in report.lines(rows, options.epsilon, options.delta, options.solve):
            print(line)
    proved = all(any(value is not None for value in one.least.values()) for one in rows)
    return EXIT_PROVED if proved else EXIT_OPEN


def _json(target: str | None, data: dict[str, Any]) -> bool:
    """Write ``data``; True if it went to stdout."""
    if target is None:
        return False
    serialized = json.dumps(data, indent=1) + "\n"
    if target == "-":
        print(serialized, end="")
        return True
    _write(Path(target), serialized)
    return False


def _extra(make: Callable[[], Any], extra: str) -> Any:
    try:
        return make()
    except ImportError as error:
        message = f"{error.name} is not installed: pip install 'certaudit[{extra}]'"
        raise InputError([Diagnostic("certaudit", message)]) from None


def _progress(unit: str) -> Callable[[int, int], None] | None:
    """A line on stderr that counts up, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        print(f"\r{done}/{total} {unit}", end="" if done < total else "\n", file=sys.stderr, flush=True)

    return show


def _rows_or_top(text: str) -> int | None:
    word, _, count = text.partition(":")
    if word != "top":
        return None
    if not count.isdecimal():
        raise InputError([Diagnostic("--prove", f"{text!r} is not top:K")])
    return int(count)


def _rows(text: str, n: int, own: Sequence[int]) -> list[int]:
    """Row numbers from ``3,7,40-44``, ``all``, ``spec`` or nothing."""
    if text in ("all", "spec"):
        return list(range(n)) if text == "all" else list(own)
    rows: list[int] = []
    for part in filter(None, text.split(",")):
        first, dash, last = part.partition("-")
        ends = (first, last if dash else first)
        if not all(end.isdecimal() and int(end) < n for end in ends) or int(ends[0]) > int(ends[1]):
            message = f"{part!r} names no rows of the data, which has rows 0 to {n - 1}"
            raise InputError([Diagnostic("rows", message)])
        rows += range(int(ends[0]), int(ends[1]) + 1)
    return list(dict.fromkeys(rows))


def _check(options: argparse.Namespace) -> int:
    from certaudit.checking import check

    accepted, lines = check(options.file, options.spec)
    for line in lines:
        print(line)
    return EXIT_PROVED if accepted else EXIT_REFUTED


def _conform(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from certaudit import session
    from certaudit.report import conformance as report

    (case,) = session.load([options.spec])
    found = session.conform(case, options.trace, options.world)
    data = [{"trace": str(path), "differs": one.differs, **asdict(one)} for path, one in found]
    if not _json(options.json, {"world": options.world, "traces": data}):
        for path, one in found:
            print(f"{path}:")
            for line in report.lines(one):
                print(f"  {line}")
    return EXIT_REFUTED if any(one.differs for _, one in found) else EXIT_PROVED


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


def _write(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing: a temporary file beside it, then a rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError([Diagnostic(str(path), error.strerror or "cannot be written")]) from None
