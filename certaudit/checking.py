"""The command ``check``: certificates judged by the second checker, and held against a spec."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certaudit.check import Report, check_bytes
from certaudit.check.document import contents
from certaudit.check.refusal import Refused, shown
from certaudit.errors import Diagnostic, InputError


@dataclass(frozen=True)
class Stated:
    """What a spec says: its run and claims as a certificate would hold them, and its data."""

    spec: dict[str, Any]
    run: dict[str, Any]
    claims: dict[str, dict[str, Any]]
    data: bytes


def check(files: Sequence[Path], spec: Path | None, data: Path | None) -> tuple[bool, Iterator[str]]:
    """Whether every file is accepted, and the lines to print.

    Data that a certificate leaves out come from the file ``data``, or else from the spec.
    Raises:
        InputError: for a file that is no certificate or cannot be read, or a bad spec.
    """
    stated = None if spec is None else _stated(spec)
    beside = _read(data) if data is not None else None if stated is None else stated.data
    raw = [_read(path) for path in files]
    reports = [check_bytes(content, beside) for content in raw]
    if strange := [(path, one) for path, one in zip(files, reports, strict=True) if not one.readable]:
        raise InputError([Diagnostic(str(path), one.reasons[0]) for path, one in strange])
    lines: list[str] = []
    accepted = True
    for path, content, report in zip(files, raw, reports, strict=True):
        reasons = list(report.reasons)
        if report.accepted and stated is not None:
            reasons += _differences(json.loads(content), stated)
        accepted = accepted and report.accepted and not reasons
        lines += _lines(path, report, reasons, spec, stated)
    return accepted, iter(lines)


def _read(path: Path) -> bytes:
    try:
        return contents(path)
    except Refused as fault:
        raise InputError([Diagnostic(str(path), str(fault))]) from None
    except OSError as error:
        raise InputError([Diagnostic(str(path), error.strerror or "cannot be read")]) from None


def _lines(
    path: Path, report: Report, reasons: Sequence[str], spec: Path | None, stated: Stated | None
) -> Iterator[str]:
    about = "the run the file states (no --spec given)" if spec is None else f"the run of {spec}"
    yield f"{path}: {report.lines} lines of proof checked again, about {about}"
    if reasons:
        yield from (f"{path}: {reason}" for reason in reasons)
        yield f"{path}: REJECTED"
        return
    for claim in report.claims:
        yield f"{path}: claim {shown(claim.name)}: {claim.verdict}"
    known = {claim.name for claim in report.claims}
    for name in () if stated is None else stated.claims:
        if name not in known:
            yield f"{path}: claim {shown(name)} of the spec is not decided by this file"
    yield from (f"{path}: assumed: {_escaped(text)}" for text in report.assumptions)
    yield f"{path}: accepted"


def _escaped(text: str) -> str:
    """All of a foreign text, with what a terminal would not show as itself written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _stated(spec: Path) -> Stated:
    from certaudit import session
    from certaudit.certificate.data import Data, content
    from certaudit.certificate.write import claim_content, run_content

    (case,) = session.load([spec])
    return Stated(
        {"name": case.loaded.spec.name, "sha256": case.loaded.sha256},
        run_content(case.run),
        {claim.id: claim_content(claim) for claim in case.claims},
        json.dumps(content(Data(case.run.X, case.run.y))).encode(),
    )


def _differences(content: dict[str, Any], stated: Stated) -> Iterator[str]:
    """Where an accepted file departs from the spec: its bytes, the run, or a claim."""
    if content["spec"] != stated.spec:
        yield "6 SPEC: the certificate names another spec"
    for name, value in stated.run.items():
        if content["run"][name] != value:
            yield f"6 SPEC: run.{name} is not what the spec says"
    for proof in content["proofs"]:
        for one in proof["claims"]:
            if one["claim"] != stated.claims.get(one["claim"]["id"]):
                yield f"6 SPEC: claim {shown(one['claim']['id'])} is not a claim of the spec"
