"""A proof about one run: numbered lines, each a rule applied to earlier lines and a witness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from certaudit.core.balls import precision
from certaudit.core.lawful import run_faults
from certaudit.core.observer import subject
from certaudit.core.rule import Conclusion, NotApplicable
from certaudit.core.rules import RULES
from certaudit.core.statement import Statement
from certaudit.run import Run

BITS = 320


@dataclass(frozen=True, eq=False)
class Line:
    """Line ``number`` (from 0) of a proof: ``rule`` applied to the lines ``uses`` and ``witness``."""

    number: int
    rule: str
    uses: tuple[int, ...]
    witness: Any
    conclusion: Conclusion

    @property
    def statement(self) -> Statement:
        """What the line proves."""
        return self.conclusion.statement


class Proof:
    """Lines that rules have checked, about ``run`` alone, with ``bits`` of precision.

    Lines are only ever added.  Rules speak of ``subject``, the run whose divergences are those of what
    an observer of ``run`` sees (O1), or ``run`` itself.  Raises ValueError for a run that makes no
    sense.
    """

    def __init__(self, run: Run, bits: int = BITS) -> None:
        for place, reason in run_faults(run):
            raise ValueError(f"run.{place}: {reason}")
        self._run, self._bits = run, bits
        try:
            self._subject, self._unreduced = subject(run), None
        except NotApplicable as refusal:
            self._subject, self._unreduced = run, refusal
        self._lines: list[Line] = []

    @property
    def run(self) -> Run:
        """The run every line is about."""
        return self._run

    @property
    def subject(self) -> Run:
        """The run that rules speak of."""
        return self._subject

    @property
    def unreduced(self) -> NotApplicable | None:
        """Why O1 does not hold of this run, where its observer asks for it."""
        return self._unreduced

    @property
    def bits(self) -> int:
        """The precision every line is checked with."""
        return self._bits

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines so far."""
        return tuple(self._lines)

    def apply(self, rule: str, uses: Sequence[Line], witness: Any) -> Line:
        """Check a rule on earlier lines of this proof and add what it concludes.

        Raises Refusal if the rule does not conclude, is unknown, or a line is not of this proof.
        """
        if rule not in RULES:
            raise NotApplicable(rule, "no such rule")
        known = RULES[rule]
        if not isinstance(witness, known.witness):
            raise NotApplicable(rule, f"needs a witness of class {known.witness.__name__}")
        if any(line.number >= len(self._lines) or self._lines[line.number] is not line for line in uses):
            raise NotApplicable(rule, "builds on a line of another proof")
        with precision(self._bits):
            conclusion = known.apply(self._subject, tuple(line.statement for line in uses), witness)
        added = Line(len(self._lines), rule, tuple(line.number for line in uses), witness, conclusion)
        self._lines.append(added)
        return added
