"""What a policy requires of PASS, and what of it is not met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from certaudit.judgement.columns import Row, State
from certaudit.judgement.result import Objection, Result
from certaudit.judgement.words import SYMBOLS, down, smallest, up
from certaudit.verdict import ClaimVerdict

if TYPE_CHECKING:
    from certaudit.audit.statistics.results import ClaimAudit
    from certaudit.spec.model import PolicySpec


@dataclass(frozen=True)
class Policy:
    """A policy and where it stands: ``the spec's policy``, or a file's name."""

    source: str
    spec: PolicySpec

    @property
    def waives(self) -> bool:
        """Whether an implementation need not be compared with the spec."""
        return self.spec.conformance == "not-required"


@dataclass(frozen=True)
class Facts:
    """What a policy looks at, claim by claim in order; ``attacks`` are None where nothing was attacked.

    ``n``: rows of the data before any deletion.  ``assumptions``: all that the report assumes.
    """

    rows: Sequence[Row]
    verdicts: Sequence[ClaimVerdict]
    attacks: Sequence[ClaimAudit | None]
    n: int
    assumptions: Sequence[str]


def unmet(policy: Policy, facts: Facts) -> Iterator[Objection]:
    """What the policy requires and is not so.  What more checking may mend is OPEN, the rest FAIL."""
    for result, text in _unmet(policy.spec, facts):
        yield Objection(result, f"{policy.source}: {text}")


def measures_enough(policy: Policy, quantity: str) -> bool:
    """Whether the policy says what power is enough for claims about ``quantity``."""
    return quantity in _amounts(policy.spec.power)


def _unmet(spec: PolicySpec, facts: Facts) -> Iterator[tuple[Result, str]]:
    power, largest = _amounts(spec.power), _amounts(spec.measured)
    for row, verdict, found in zip(facts.rows, facts.verdicts, facts.attacks, strict=True):
        name = row.claim.id
        if power or largest:
            yield from _of_attack(name, found, power, largest)
        if spec.conformance == "required" and row.code.state is not State.HOLDS:
            yield Result.OPEN, f"claim {name}: conformance is required, and was not checked"
        delta = getattr(row.claim, "delta", None)
        if spec.delta is not None and delta is not None and not delta < Fraction(1, facts.n):
            yield Result.FAIL, f"claim {name}: δ is not below 1/n = 1/{facts.n}"
        if spec.theorem_premises is not None and verdict.named is not None and verdict.named.failed:
            broken = verdict.named.failed[0].premise.name
            yield (
                Result.FAIL,
                f"claim {name}: the run breaks a premise of {verdict.named.name} ({broken})",
            )
    if spec.assumptions is not None:
        for sentence in facts.assumptions:
            if not any(_allows(entry, sentence) for entry in spec.assumptions):
                yield Result.FAIL, f"assumed, and not allowed: {sentence}"


def _of_attack(
    name: str,
    found: ClaimAudit | None,
    power: Mapping[str, Fraction],
    largest: Mapping[str, Fraction],
) -> Iterator[tuple[Result, str]]:
    if found is None:
        yield Result.OPEN, f"claim {name}: it requires an attack, and nothing was attacked"
        return
    symbol = SYMBOLS[found.quantity]
    least = power.get(found.quantity)
    if least is not None:
        seen_from = smallest(found)
        if seen_from is None or not seen_from <= least:
            seen = "none" if seen_from is None else f"{up(seen_from)} or more"
            text = f"a true {symbol} of {float(least):.4g} must have been visible, and {seen} was"
            yield Result.OPEN, f"claim {name}: {text}"
    most = largest.get(found.quantity)
    if most is None:
        return
    if found.skipped:
        yield Result.OPEN, f"claim {name}: nothing was measured"
    elif not found.lower_bound <= most:
        text = f"{symbol} ≥ {down(found.lower_bound)} was measured, at most {float(most):.4g} is allowed"
        yield Result.FAIL, f"claim {name}: {text}"


def _allows(entry: str, sentence: str) -> bool:
    """Whether an allowed assumption is the sentence, or, ending in ``...``, how it begins."""
    entry, sentence = " ".join(entry.split()), " ".join(sentence.split())
    start = entry.removesuffix("...")
    return sentence.startswith(start) if start != entry else sentence == entry


def _amounts(spec: object) -> dict[str, Fraction]:
    if spec is None:
        return {}
    given = {name: getattr(spec, name) for name in SYMBOLS}
    return {name: value for name, value in given.items() if value is not None}
