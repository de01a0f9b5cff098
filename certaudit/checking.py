"""The command ``check``: derivation files judged one by one, and compared with a spec if asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from certaudit.check.checker import Checker, Report
from certaudit.check.document import read

ASSUMED = (
    "about the run the file states (no --spec given), its data taken as exact",
    "about the run of {spec}, its data taken as exact",
)


def check(files: Sequence[Path], spec: Path | None) -> tuple[bool, Iterator[str]]:
    """Whether every file is accepted, and the lines to print.

    Raises:
        InputError: for a file that cannot be read, or a bad spec; nothing is checked then.
    """
    contents = [read(path) for path in files]
    wanted = None if spec is None else _stated(spec)
    checker = Checker()
    reports = [checker.check(content) for content in contents]
    if wanted is not None:
        for content, report in zip(contents, reports, strict=True):
            report.reasons += differences(content, wanted)
    about = ASSUMED[0] if spec is None else ASSUMED[1].format(spec=spec)
    lines = (
        line
        for path, report in zip(files, reports, strict=True)
        for line in _lines(path, report, about, () if wanted is None else wanted["claims"])
    )
    return all(report.accepted for report in reports), lines


def _lines(path: Path, report: Report, about: str, claims: Iterable[str]) -> Iterator[str]:
    yield f"{path}: {report.steps} steps and {report.numbers} numbers computed again, {about}"
    if report.accepted:
        for claim, verdict in report.claims.items():
            yield f"{path}: {claim} {verdict}"
        for claim in claims:
            if claim not in report.claims:
                yield f"{path}: {claim} of the spec is not decided by this file"
    for reason in report.reasons:
        yield f"{path}: {reason}"
    yield f"{path}: {'accepted' if report.accepted else 'REJECTED'}"


def _stated(spec: Path) -> dict[str, Any]:
    """What a spec's own derivation says before its steps."""
    from certaudit import session
    from certaudit.report.saved import claim_data, run_data

    (case,) = session.load([spec])
    return {
        "spec": {"name": case.loaded.spec.name, "sha256": case.loaded.sha256},
        "run": run_data(case.run),
        "claims": {claim.id: claim_data(claim) for claim in case.claims},
    }


def differences(content: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """Where a file departs from the spec: its name, its bytes, the run, or a claim."""
    for key in ("spec", "run"):
        own = content.get(key)
        for name, value in wanted[key].items():
            if not isinstance(own, dict) or _canonical(own.get(name)) != _canonical(value):
                yield f"{key}.{name}: not what the spec says"
    for k, claim in enumerate(content.get("claims") or ()):
        own = claim if isinstance(claim, dict) else {}
        stated = wanted["claims"].get(str(own.get("id")))
        if stated is None or any(
            _canonical(own.get(name)) != _canonical(value) for name, value in stated.items()
        ):
            yield f"claims[{k}]: not a claim of the spec"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
