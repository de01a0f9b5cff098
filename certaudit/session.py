"""One spec through both halves: spec, data and run; formal verdicts; audit; outcome."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from certaudit.claims import Claim
from certaudit.core.proof import Proof
from certaudit.errors import Diagnostic, InputError, InputWarning
from certaudit.judgement import columns
from certaudit.judgement.columns import Row
from certaudit.judgement.judge import Scope, Terms, judge
from certaudit.judgement.levels import Levels
from certaudit.judgement.policy import Facts, Policy
from certaudit.judgement.result import Judgement, Result, worst
from certaudit.run import Run, World
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify as verify_claims
from certaudit.spec.build import build, build_claims
from certaudit.spec.load import LoadedSpec, load_policy, load_spec
from certaudit.spec.subjects import Subject
from certaudit.verdict import ClaimVerdict, Status

if TYPE_CHECKING:
    from certaudit.audit.attack import AuditReport, ClaimAudit, Design, Law
    from certaudit.audit.conformance.result import ConformanceReport
    from certaudit.audit.implementations.train import Foreign
    from certaudit.certificate.record import Decided, Verdict


MOVING = Fraction(1, 10)
"""Part of conformance's level for how far unlearning moves a model."""


@dataclass(frozen=True)
class Case:
    """A loaded spec, its run, the claims to check (``left_out``: how many of the spec's are not), and
    what PASS requires.  ``subjects``, ``several``, ``warnings``: see ``certaudit.spec.build.Built``.
    """

    loaded: LoadedSpec
    run: Run
    data_sha256: str
    claims: tuple[Claim, ...]
    subjects: tuple[tuple[Subject, ...], ...] = ()
    several: int = 0
    warnings: tuple[Diagnostic, ...] = ()
    left_out: int = 0
    terms: Terms = field(default_factory=Terms)

    @property
    def stated(self) -> bool:
        """Whether the spec states the dynamics; where it does not, ``run`` carries data, forgotten rows
        and reference only."""
        return self.loaded.spec.stated

    @property
    def named(self) -> bool:
        """Whether the spec names an implementation."""
        return self.loaded.spec.implementation is not None


@dataclass(frozen=True)
class Outcome:
    """What both halves concluded.

    ``verdicts`` are those of the proofs alone.  ``audit``, ``conformance`` and ``levels`` are None where
    only the formal half ran.
    """

    case: Case
    verdicts: tuple[ClaimVerdict, ...]
    audit: AuditReport | None = None
    conformance: ConformanceReport | None = None
    levels: Levels | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """Certificate, attack and code of each claim."""
        case, broken = self.case, () if self.audit is None else self.audit.broken
        return tuple(
            Row(
                verdict.claim,
                columns.certificate(verdict),
                columns.attack(found, broken),
                columns.code(
                    case.run,
                    verdict.claim,
                    named=case.named,
                    stated=case.stated,
                    compared=self.conformance,
                ),
            )
            for verdict, found in zip(self.verdicts, self._attacks, strict=True)
        )

    @property
    def _attacks(self) -> Sequence[ClaimAudit | None]:
        return [None] * len(self.verdicts) if self.audit is None else self.audit.claims

    @property
    def assumptions(self) -> tuple[str, ...]:
        """All that is assumed and not checked, by the run and by the theorems that claims name."""
        named = [text for one in self.verdicts if one.named is not None for text in one.named.assumed]
        return tuple(dict.fromkeys([*self.case.run.assumptions, *named]))

    @property
    def judgement(self) -> Judgement:
        """The result with its reason."""
        case = self.case
        facts = Facts(self.rows, self.verdicts, self._attacks, case.run.n, self.assumptions)
        scope = Scope(case.named, case.stated, self.audit is not None, case.left_out)
        return judge(facts, scope, case.terms)

    @property
    def result(self) -> Result:
        """PASS, FAIL, OPEN or ERROR."""
        return self.judgement.result

    @property
    def certified(self) -> Result:
        """What the proofs alone say: PASS, FAIL or OPEN."""
        says = {Status.PROVED: Result.PASS, Status.REFUTED: Result.FAIL}
        return worst(says.get(verdict.status, Result.OPEN) for verdict in self.verdicts)

    @property
    def refuted(self) -> bool:
        """Whether anything objects: a proof, an attack, or the comparison of code and spec."""
        return any(
            cell.state is columns.State.BREAKS for row in self.rows for cell in row.cells().values()
        )

    @property
    def proved(self) -> bool:
        """Whether the result is PASS, by no exception, and every claim is proved."""
        judged = self.judgement
        every = all(verdict.status is Status.PROVED for verdict in self.verdicts)
        return judged.result is Result.PASS and not judged.exceptions and every


def load(
    paths: Sequence[Path],
    claim: str | None = None,
    *,
    policy: Path | None = None,
    accept_unchecked: bool = False,
    unknown: bool = False,
) -> list[Case]:
    """Load every spec before anything is computed.  What may not be meant is an ``InputWarning``.

    ``policy``: a file whose requirements are added to the specs' own; ``unknown``: whether a spec may
    leave its dynamics unknown.

    Raises:
        InputError: with the faults of all the files together.
    """
    cases: list[Case] = []
    problems: list[Diagnostic] = []
    added: tuple[Policy, ...] = ()
    if policy is not None:
        try:
            added = (Policy(f"policy {policy}", load_policy(policy)),)
        except InputError as error:
            problems += error.diagnostics
    for path in paths:
        try:
            case = _load(path, claim)
            if not (case.stated or unknown):
                text = "must be stated: only `verify`, `audit` and `power` take unknown"
                raise InputError([case.loaded.problem(text, "dynamics")])
            own = case.loaded.spec.policy
            policies = (*(() if own is None else (Policy("the spec's policy", own),)), *added)
            cases.append(replace(case, terms=Terms(policies, accept_unchecked)))
        except InputError as error:
            problems += error.diagnostics
    if problems:
        raise InputError(problems)
    return cases


def _load(path: Path, only: str | None) -> Case:
    loaded = load_spec(path)
    every = build_claims(loaded)
    claims = every
    if only is not None:
        known = ", ".join(claim.id for claim in every)
        claims = tuple(claim for claim in every if claim.id == only)
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
        len(every) - len(claims),
    )


def verify(case: Case) -> Outcome:
    """The formal half."""
    return Outcome(case, _verdicts(case, Evidence(case.run)))


def _verdicts(case: Case, evidence: Evidence) -> tuple[ClaimVerdict, ...]:
    if case.stated:
        return verify_claims(evidence, case.claims)
    nothing = Proof(case.run)
    return tuple(ClaimVerdict(claim, Status.NOT_STATED, nothing, (), ()) for claim in case.claims)


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
    """``audits`` for one seed."""
    (outcome,) = audits(
        case,
        seed=seed,
        shadows=shadows,
        design=design,
        out=out,
        allow_code=allow_code,
        workers=workers,
    )
    return outcome


def audits(
    case: Case,
    *,
    seed: int | None = None,
    seeds: int = 1,
    shadows: int | None = None,
    design: Design | None = None,
    out: Path | None = None,
    allow_code: bool = False,
    workers: int = 1,
) -> list[Outcome]:
    """Both halves, one outcome a seed: ``seed``, ``seed`` + 1, ... up to ``seeds`` of them.

    Claims, conformance and seeds share 1 - the spec's confidence (``judgement.levels``).  ``allow_code``
    lets an implementation that the spec names run, with the caller's rights, in ``workers`` processes.

    Raises:
        InputError: if the spec names an implementation that may not run, or cannot be imported.
    """
    settings = case.loaded.spec.audit
    first = settings.seed if seed is None else seed
    evidence = Evidence(case.run)
    levels = Levels.of(settings.confidence, compared=case.stated, seeds=seeds)
    store = None if out is None else out / "shadows"
    coded = [_foreign(case, allow_code, one, store, workers) for one in range(first, first + seeds)]
    verdicts = _verdicts(case, evidence)
    return [
        _audit(
            case,
            evidence,
            verdicts,
            levels,
            seed=first + k,
            shadows=settings.shadows if shadows is None else shadows,
            design=settings.design if design is None else design,
            store=store,
            foreign=foreign,
        )
        for k, foreign in enumerate(coded)
    ]


def _audit(
    case: Case,
    evidence: Evidence,
    verdicts: tuple[ClaimVerdict, ...],
    levels: Levels,
    *,
    seed: int,
    shadows: int,
    design: Design,
    store: Path | None,
    foreign: Foreign | None,
) -> Outcome:
    """One seed's audit beside the verdicts of the formal half."""
    from certaudit.audit.attack import audit as attack
    from certaudit.audit.conformance.audited import conformance
    from certaudit.audit.conformance.moved import moved
    from certaudit.audit.implementations.findings import joined

    def laws(requests: int) -> Law | None:
        if not case.stated:
            return None
        whole = requests == len(case.run.requests)
        return (evidence if whole else Evidence(case.run.after(requests))).float_law()

    report = attack(
        case.run,
        case.claims,
        shadows=shadows,
        confidence=1 - levels.claims,
        seed=seed,
        dtype=case.loaded.spec.audit.dtype,
        exact_law=laws,
        store=store,
        design=design,
        truth=None if foreign else _exact_values(verdicts),
        foreign=foreign,
    )
    compared: ConformanceReport | None = None
    if case.stated:
        share = MOVING if foreign is not None and case.run.requests else Fraction(0)
        final = evidence
        if case.run.release == "before-and-after":
            final = Evidence(replace(case.run, release="final"))
        law, level = final.float_law(), float((1 - share) * levels.conformance)
        compared = conformance(case.run, law, report, foreign, level)
        if foreign is not None and share:
            level = float(share * levels.conformance)
            found = moved(case.run, foreign, report.trained, seed, level)
            checks = compared.checks if found is None else (*compared.checks, found)
            compared = replace(compared, checks=checks, level=float(levels.conformance))
    if foreign is not None:
        broken = tuple(dict.fromkeys([*report.broken, *foreign.faults()]))
        report = replace(report, broken=broken, remarks=foreign.remarks())
        compared = joined(compared, foreign.checks())
    return Outcome(case, verdicts, report, compared, levels)


def _foreign(case: Case, allowed: bool, seed: int, store: Path | None, workers: int) -> Foreign | None:
    """The implementation that the spec names, ready to run."""
    named = case.loaded.spec.implementation
    if named is None:
        return None
    if not allowed:
        text = "the spec names code to run: say --allow-code to run it with your rights"
        raise InputError([case.loaded.problem(text, "implementation")])
    from certaudit.audit.implementations.load import CodeError, Names
    from certaudit.audit.implementations.processes import Server
    from certaudit.audit.implementations.train import Foreign
    from certaudit.audit.shadows.store import ShadowStore

    names = Names(named.learn, named.unlearn, case.loaded.path.parent, named.release)
    try:
        server = Server(names)
    except CodeError as error:
        raise InputError([case.loaded.problem(str(error), "implementation", error.field)]) from None
    return Foreign(server, seed, workers, None if store is None else ShadowStore(store))


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
