"""From columns and policies to one result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from certaudit.judgement.columns import BLIND, Cell, Row, State
from certaudit.judgement.policy import Facts, Policy, measures_enough, unmet
from certaudit.judgement.result import Judgement, Objection, Result, together


@dataclass(frozen=True)
class Terms:
    """What the user set: policies that must all be met, and whether what could not be checked is let
    pass by name."""

    policies: tuple[Policy, ...] = ()
    accept_unchecked: bool = False


@dataclass(frozen=True)
class Scope:
    """What was asked for.

    ``named``: the spec names an implementation; ``stated``: it states the dynamics; ``attacked``: the
    statistical half ran; ``left_out``: claims of the spec that were not asked for.
    """

    named: bool
    stated: bool
    attacked: bool
    left_out: int = 0


def judge(facts: Facts, scope: Scope, terms: Terms) -> Judgement:
    """One result.  Every claim must be proved and nothing may object; an implementation must have been
    compared with the spec; every policy must be met.

    Where no dynamics are stated nothing is proved, and PASS is "no objection" at a power that a policy
    says is enough.  No claims at all are an ERROR.
    """
    if not facts.rows:
        return Judgement(Result.ERROR, "no claims at all: nothing was checked")
    objections, exceptions = [], []
    for row in facts.rows:
        for column, cell in row.cells().items():
            text = _text(row, column, cell)
            if cell.state is State.BREAKS:
                objections.append(Objection(Result.FAIL, text))
            elif cell.state is State.UNDECIDED:
                objections.append(Objection(Result.OPEN, text))
            elif cell.state is State.UNCHECKED:
                by = _let_pass(column, terms)
                if by:
                    exceptions.append(f"{text} (let pass by {by})")
                else:
                    objections.append(Objection(Result.OPEN, _with_power(row, column, text)))
    for policy in terms.policies:
        objections += unmet(policy, facts)
    if not scope.stated:
        objections += _without_proof(facts, terms.policies)
    exceptions = list(dict.fromkeys(exceptions))
    if objections:
        judged = together(objections)
        return Judgement(judged.result, judged.reason + _left_out(scope), tuple(exceptions))
    return Judgement(Result.PASS, _passed(facts, scope, exceptions), tuple(exceptions))


def _let_pass(column: str, terms: Terms) -> str:
    """What lets an unchecked column pass; empty if nothing does."""
    if terms.accept_unchecked:
        return "--accept-unchecked"
    waived = terms.policies and all(policy.waives for policy in terms.policies)
    return terms.policies[0].source if waived and column == "code" else ""


def _text(row: Row, column: str, cell: Cell) -> str:
    name = row.claim.id
    match column, cell.state:
        case "certificate", State.BREAKS:
            return f"claim {name} is refuted by proof"
        case "certificate", _:
            return f"claim {name}: {cell.word.lower()}"
        case "attack", State.BREAKS:
            return f"claim {name}: the attack breaks it: {cell.why}"
        case "attack", State.UNDECIDED:
            return f"the audit broke down: {cell.why}"
        case "attack", _:
            return f"claim {name} was not attacked: {cell.why}"
        case _, State.BREAKS:
            return cell.why
        case _, _:
            return f"claim {name}: the implementation was not compared with the spec: {cell.why}"


def _with_power(row: Row, column: str, text: str) -> str:
    seen = row.attack.why if row.attack.state is State.HOLDS and column == "code" else ""
    return f"{text}; by the attack alone, {seen}" if seen else text


def _without_proof(facts: Facts, policies: Sequence[Policy]) -> Iterator[Objection]:
    """Claims for which no policy says what power is enough."""
    for row, found in zip(facts.rows, facts.attacks, strict=True):
        begin = f"claim {row.claim.id}: no dynamics are stated, so nothing is proved"
        if found is None:
            yield Objection(Result.OPEN, f"{begin}, and nothing was attacked")
        elif not any(measures_enough(one, found.quantity) for one in policies):
            text = f"{begin}, and no policy says what power is enough"
            yield Objection(Result.OPEN, _with_power(row, "code", text))


def _passed(facts: Facts, scope: Scope, exceptions: Sequence[str]) -> str:
    many = len(facts.rows)
    claims = "the claim is" if many == 1 else f"all {many} claims are"
    if not scope.stated:
        seen = "; ".join(dict.fromkeys(row.attack.why for row in facts.rows))
        text = f"no objection, and nothing is proved: no dynamics are stated; {seen}"
    elif not scope.attacked:
        text = (
            f"{claims} proved; only the certificate was checked: nothing was attacked, no code was run"
        )
    elif not scope.named:
        text = (
            f"{claims} proved, and no attack objects; only certaudit's own dynamics were attacked: the "
            "spec names no implementation"
        )
    elif exceptions:
        text = f"{claims} proved, and nothing objects"
    else:
        text = f"{claims} proved, no attack objects, and the implementation agrees with the spec"
    blind = [row.claim.id for row in facts.rows if row.attack.word == BLIND]
    if blind:
        text += f"; too small an audit to object to {', '.join(blind)}"
    if exceptions:
        more = f" (and {len(exceptions) - 1} more)" if len(exceptions) > 1 else ""
        text += f"; EXCEPT: {exceptions[0]}{more}"
    return text + _left_out(scope)


def _left_out(scope: Scope) -> str:
    if not scope.left_out:
        return ""
    others = "1 other claim" if scope.left_out == 1 else f"{scope.left_out} other claims"
    return f"; {others} of the spec not asked for"
