"""Whole reports as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certaudit import __version__
from certaudit.report import audit as audit_text
from certaudit.report import conformance, subjects, terminal, words
from certaudit.report.derivation import Told, to_text
from certaudit.session import Outcome


def report(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The report of one command, spec after spec."""
    for k, outcome in enumerate(outcomes):
        if k:
            yield ""
            yield "=" * 72
            yield ""
        yield from _one(outcome)


def _one(outcome: Outcome) -> Iterator[str]:
    case = outcome.case
    yield f"certaudit {__version__}   {case.loaded.spec.name}   ({case.loaded.path})"
    yield ""
    yield from words.run(case.run)
    yield from subjects.lines(case)
    code = case.loaded.spec.implementation
    if code is not None:
        yield f"code        learn {code.learn}, unlearn {code.unlearn} (audited; no proof is about it)"
    yield ""
    cells = None if outcome.audit is None else [audit_text.cell(c) for c in outcome.audit.claims]
    yield from terminal.table(outcome.verdicts, cells)
    yield ""
    for k, verdict in enumerate(outcome.verdicts):
        yield from terminal.details(verdict)
        if outcome.audit is not None:
            yield from audit_text.details(outcome.audit.claims[k])
    if outcome.audit is not None:
        yield ""
        yield from audit_text.summary(outcome.audit)
    if outcome.conformance is not None:
        yield from conformance.lines(outcome.conformance)
    skipped = list(terminal.skipped(outcome.verdicts))
    if skipped:
        yield ""
        yield "rules that say nothing about this run:"
        yield from (f"  {line}" for line in skipped)
    if case.run.assumptions:
        yield ""
        yield "assumed, not checked:"
        yield from (f"  {assumption}" for assumption in case.run.assumptions)


def derivations(outcome: Outcome, *, latex: bool = False) -> Iterator[str]:
    """The run's step, then every verdict's derivation and that of the other bounds beside it."""
    from certaudit.report.opening import opening

    yield "== the run"
    yield ""
    yield from opening(outcome.case.run, latex=latex)
    yield ""
    told: Told = set()
    for verdict in outcome.verdicts:
        claim, proof = verdict.claim, verdict.proof
        yield f"== {claim.id}: {words.claimed(claim)}: {verdict.status.value}"
        yield ""
        yield from to_text(proof, verdict.decided_by, latex=latex, told=told)
        for bound in verdict.bounds[1 if verdict.decided_by else 0 :]:
            yield f"-- also {bound.route}: {words.bound(bound)}"
            yield ""
            yield from to_text(proof, bound.lines, latex=latex, told=told)
        for failed in verdict.failed:
            yield f"-- premise failed: {failed.rule}: {failed.premise.text}"
