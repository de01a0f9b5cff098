"""Whole reports as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certaudit import __version__
from certaudit.judgement.result import Judgement, overall
from certaudit.report import assumptions, conformance, meaning, subjects, terminal, words
from certaudit.report import audit as audit_text
from certaudit.report.derivation import Told, to_text
from certaudit.session import Outcome


def report(outcomes: Sequence[Outcome], exit_code: int) -> Iterator[str]:
    """The report of one command, spec after spec; the result is its first line and its last."""
    judged = [(_name(outcome), outcome.judgement) for outcome in outcomes]
    result = line(overall(judged), exit_code)
    yield result
    yield ""
    for k, outcome in enumerate(outcomes):
        if k:
            yield ""
            yield "=" * 72
            yield ""
        if len(outcomes) > 1:
            name, own = judged[k]
            yield f"{name}: {own.result.value} – {own.reason}"
            yield ""
        yield from _one(outcome)
    yield ""
    yield result


def line(judged: Judgement, exit_code: int) -> str:
    """The line that says the result."""
    return f"RESULT: {judged.result.value} – {judged.reason} (exit {exit_code})"


def _name(outcome: Outcome) -> str:
    name = outcome.case.loaded.spec.name
    several = outcome.levels is not None and outcome.levels.seeds > 1 and outcome.audit is not None
    return f"{name}, seed {outcome.audit.seed}" if several and outcome.audit is not None else name


def _one(outcome: Outcome) -> Iterator[str]:
    case, audit = outcome.case, outcome.audit
    yield f"certaudit {__version__}   {case.loaded.spec.name}   ({case.loaded.path})"
    yield ""
    yield from words.run(case.run) if case.stated else words.unstated(case.run)
    yield from subjects.lines(case)
    code = case.loaded.spec.implementation
    if code is not None:
        named = ", ".join(f"{key} {name}" for key, name in code.model_dump(exclude_none=True).items())
        yield f"code        {named} (no proof is about it)"
    yield ""
    yield from terminal.table(outcome)
    yield ""
    for k, verdict in enumerate(outcome.verdicts):
        yield from terminal.details(verdict)
        if audit is not None:
            yield from audit_text.details(audit.claims[k])
        yield from meaning.lines(verdict)
    yield from _exceptions(outcome)
    if audit is not None:
        yield ""
        yield from audit_text.summary(audit)
        yield from filter(None, [assumptions.ATTACKED[case.run.release]])
    if outcome.conformance is not None:
        yield from conformance.lines(outcome.conformance)
    if audit is not None and outcome.levels is not None:
        yield from audit_text.levels(outcome.levels, audit.seed)
    skipped = list(terminal.skipped(outcome.verdicts))
    if skipped:
        yield ""
        yield "rules that say nothing about this run:"
        yield from (f"  {line}" for line in skipped)
    yield ""
    yield "assumed, not checked:"
    taken = assumptions.assumed(case.run, case.claims) if case.stated else case.run.assumptions
    yield from (f"  {one}" for one in taken)


def _exceptions(outcome: Outcome) -> Iterator[str]:
    """What was let pass, and which policies the result was held to."""
    for exception in outcome.judgement.exceptions:
        yield f"EXCEPTION: {exception}"
    for policy in outcome.case.terms.policies:
        yield f"held to: {policy.source}"


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
