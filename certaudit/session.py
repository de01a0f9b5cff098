"""One spec through both halves: spec, data and run; formal verdicts; audit; outcome."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from certaudit.claims import Claim
from certaudit.errors import Diagnostic, InputError, InputWarning
from certaudit.run import Run, World
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify as verify_claims
from certaudit.spec.build import build, build_claims
from certaudit.spec.load import LoadedSpec, load_spec
from certaudit.spec.subjects import Subject
from certaudit.verdict import ClaimVerdict, Status

if TYPE_CHECKING:
    from certaudit.audit.attack import AuditReport, Design, Law
    from certaudit.audit.conformance.result import ConformanceReport
    from certaudit.audit.implementations.train import Foreign
    from certaudit.certificate.record import Decided, Verdict


@dataclass(frozen=True)
class Case:
    """A loaded spec, its run and the claims to check.

    ``subjects``, ``several``, ``warnings``: see ``certaudit.spec.build.Built``.
    """

    loaded: LoadedSpec
    run: Run
    data_sha256: str
    claims: tuple[Claim, ...]
    subjects: tuple[tuple[Subject, ...], ...] = ()
    several: int = 0
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What both halves concluded; ``audit`` and ``conformance`` are None where only the formal half
    ran."""

    case: Case
    verdicts: tuple[ClaimVerdict, ...]
    audit: AuditReport | None = None
    conformance: ConformanceReport | None = None

    @property
    def refuted(self) -> bool:
        """Whether any claim is refuted, by proof or statistically, or the implementation differs."""
        if self.conformance is not None and self.conformance.differs:
            return True
        return any(v.status in (Status.REFUTED, Status.REFUTED_STATISTICALLY) for v in self.verdicts)

    @property
    def proved(self) -> bool:
        """Whether every claim is proved and no check of the audit was skipped or broke down."""
        skipped = self.audit is not None and (
            bool(self.audit.broken) or any(c.skipped for c in self.audit.claims)
        )
        return all(v.status is Status.PROVED for v in self.verdicts) and not skipped


def load(paths: Sequence[Path], claim: str | None = None) -> list[Case]:
    """Load every spec before anything is computed.  What may not be meant is an ``InputWarning``.

    Raises:
        InputError: with the faults of all the specs together.
    """
    cases: list[Case] = []
    problems: list[Diagnostic] = []
    for path in paths:
        try:
            cases.append(_load(path, claim))
        except InputError as error:
            problems += error.diagnostics
    if problems:
        raise InputError(problems)
    return cases


def _load(path: Path, only: str | None) -> Case:
    loaded = load_spec(path)
    claims = build_claims(loaded)
    if only is not None:
        known = ", ".join(claim.id for claim in claims)
        claims = tuple(claim for claim in claims if claim.id == only)
        if not claims:
            raise InputError(
                [loaded.problem(f"no claim is called {only!r}; the claims are {known}", "claims")]
            )
    built = build(loaded)
    for one in built.warnings:
        warnings.warn(str(one), InputWarning, stacklevel=4)
    return Case(
        loaded,
        built.run,
        built.data_sha256,
        claims,
        built.subjects,
        built.several,
        built.warnings,
    )


def verify(case: Case) -> Outcome:
    """The formal half."""
    return Outcome(case, verify_claims(Evidence(case.run), case.claims))


def decided(outcome: Outcome) -> tuple[Decided, ...]:
    """The claims that a proof decides, with the lines that do; what a certificate is made of."""
    from certaudit.certificate.record import Decided

    words: dict[Status, Verdict] = {Status.PROVED: "proved", Status.REFUTED: "refuted"}
    return tuple(
        Decided(one.claim, words[one.status], one.decided_by, one.proof)
        for one in outcome.verdicts
        if one.status in words
    )


def audit(
    case: Case,
    *,
    seed: int | None = None,
    shadows: int | None = None,
    design: Design | None = None,
    out: Path | None = None,
    allow_code: bool = False,
    workers: int = 1,
) -> Outcome:
    """Both halves.  A claim that the audit refutes is refuted statistically, unless a proof refutes
    it already: a proof about the spec says nothing about code that departs from it.

    Where the exact law is known, the first shadows are compared with it; that spends a false-alarm
    probability of 1 - confidence of its own.

    ``allow_code`` lets an implementation that the spec names run, with the caller's rights, in
    ``workers`` processes.

    Raises:
        InputError: if the spec names an implementation that may not run, or cannot be imported.
    """
    settings = case.loaded.spec.audit
    seed = settings.seed if seed is None else seed
    store = None if out is None else out / "shadows"
    foreign = _foreign(case, allow_code, seed, store, workers)
    evidence = Evidence(case.run)
    verdicts = verify_claims(evidence, case.claims)
    from certaudit.audit.attack import audit as attack
    from certaudit.audit.conformance.audited import conformance

    def laws(requests: int) -> Law | None:
        whole = requests == len(case.run.requests)
        return (evidence if whole else Evidence(case.run.after(requests))).float_law()

    report = attack(
        case.run,
        case.claims,
        shadows=settings.shadows if shadows is None else shadows,
        confidence=settings.confidence,
        seed=seed,
        dtype=settings.dtype,
        exact_law=laws,
        store=store,
        design=settings.design if design is None else design,
        truth=None if foreign else _exact_values(verdicts),
        foreign=foreign,
    )
    merged = tuple(
        replace(verdict, status=Status.REFUTED_STATISTICALLY)
        if result.refuted and verdict.status is not Status.REFUTED
        else verdict
        for verdict, result in zip(verdicts, report.claims, strict=True)
    )
    compared = conformance(case.run, evidence.float_law(), report, foreign)
    if foreign is not None:
        broken = tuple(dict.fromkeys([*report.broken, *foreign.faults()]))
        report = replace(report, broken=broken, remarks=foreign.remarks())
    return Outcome(case, merged, report, compared)


def _foreign(case: Case, allowed: bool, seed: int, store: Path | None, workers: int) -> Foreign | None:
    """The implementation that the spec names, ready to run."""
    named = case.loaded.spec.implementation
    if named is None:
        return None
    if not allowed:
        text = "the spec names code to run: say --allow-code to run it with your rights"
        raise InputError([case.loaded.problem(text, "implementation")])
    from certaudit.audit.implementations.load import CodeError, Names, load
    from certaudit.audit.implementations.train import Foreign
    from certaudit.audit.shadows.store import ShadowStore

    names = Names(named.learn, named.unlearn, case.loaded.path.parent)
    try:
        code = load(names)
    except CodeError as error:
        raise InputError([case.loaded.problem(str(error), "implementation", error.field)]) from None
    return Foreign(names, code, seed, workers, None if store is None else ShadowStore(store))


def conform(case: Case, traces: Sequence[Path], world: World) -> list[tuple[Path, ConformanceReport]]:
    """Recorded traces of one world against the spec, together at 1 - the spec's confidence.

    Raises:
        InputError: for files that are no traces of such a run; nothing is compared then.
    """
    from certaudit.audit.conformance import steps
    from certaudit.audit.conformance.trace import read

    problems, read_in = [], []
    for path in traces:
        try:
            trace = read(path)
            if trace.steps and trace.before.shape[1] != case.run.parameters:
                wrong = f"{trace.before.shape[1]} parameters, the spec's model has {case.run.parameters}"
                problems.append(Diagnostic(str(path), wrong))
            read_in.append(trace)
        except (OSError, ValueError) as error:
            text = " ".join(str(error).split()).removeprefix(f"{path}: ")
            problems.append(Diagnostic(str(path), text))
    if problems:
        raise InputError(problems)
    level = float(1 - case.loaded.spec.audit.confidence) / len(traces)
    return [
        (path, steps.conform(trace, case.run, world, level))
        for path, trace in zip(traces, read_in, strict=True)
    ]


def _exact_values(verdicts: Sequence[ClaimVerdict]) -> dict[str, float]:
    """Where the exact tier knows the value of what a claim bounds, that value."""
    return {
        verdict.claim.id: float(bound.floor)
        for verdict in verdicts
        for bound in verdict.bounds
        if bound.route.startswith("exact tier") and bound.floor is not None
    }
