"""What conformance checks found, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["passed", "differs", "not checked"]


@dataclass(frozen=True)
class Check:
    """One test of an implementation against its spec.

    ``p_value`` is valid for an implementation that does what the spec says: it is at most p with
    probability at most p.  Facts that such an implementation never breaks have p-value 0 or 1.
    The check fails where ``p_value`` is at most ``threshold``, and where it is not a number.  ``where``
    is a world or a phase; ``meaning`` says in words what a failure tells; ``models``: how many of each
    world were looked at (0: none were needed).
    """

    name: str
    where: str
    statistic: float
    p_value: float
    threshold: float
    meaning: str
    models: int = 0

    @property
    def failed(self) -> bool:
        """Whether the implementation breaks this check."""
        return not self.p_value > self.threshold

    @property
    def passed(self) -> bool:
        """Whether it keeps it."""
        return not self.failed


@dataclass(frozen=True)
class ConformanceReport:
    """All the checks: an honest implementation fails any of them with probability at most ``level``.

    ``models``: models of each world of the code (1 for a trace).  ``compared``: what was compared with
    what.  ``skipped`` says why the code was not checked, or not to the end; ``notes`` are one-line
    remarks; ``sees`` says how large a difference would have been seen.
    """

    level: float
    models: int
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    skipped: str = ""
    compared: str = ""
    sees: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed, smallest p-value first."""
        return tuple(sorted((c for c in self.checks if c.failed), key=lambda c: c.p_value))

    @property
    def differs(self) -> bool:
        """Whether the implementation is not the spec's."""
        return any(check.failed for check in self.checks)

    @property
    def passed(self) -> bool:
        """Whether the code was checked, and to the end, and no difference was found."""
        return self.state == "passed"

    @property
    def state(self) -> State:
        """One word for all of it."""
        if self.differs:
            return "differs"
        return "passed" if self.checks and not self.skipped else "not checked"


def not_checked(level: float, why: str, models: int = 0) -> ConformanceReport:
    """Nothing was compared."""
    return ConformanceReport(level, models, (), skipped=why)
