"""What conformance checks found, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One test of an implementation against its spec.

    ``p_value`` is valid for an implementation that does what the spec says: it is at most p with
    probability at most p.  Facts that such an implementation never breaks have p-value 0 or 1.
    The check fails where ``p_value`` is at most ``threshold``.  ``where`` is a world or a phase;
    ``meaning`` says in words what the number tells.
    """

    name: str
    where: str
    statistic: float
    p_value: float
    threshold: float
    meaning: str

    @property
    def failed(self) -> bool:
        """Whether the implementation breaks this check."""
        return self.p_value <= self.threshold


@dataclass(frozen=True)
class ConformanceReport:
    """All the checks: an honest implementation fails any of them with probability at most ``level``.

    ``models``: shadow models of each world (1 for a trace).  ``compared``: what was compared with what.
    ``skipped`` says why nothing was checked; ``notes`` are one-line remarks.
    """

    level: float
    models: int
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    skipped: str = ""
    compared: str = ""

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed, smallest p-value first."""
        return tuple(sorted((c for c in self.checks if c.failed), key=lambda c: c.p_value))

    @property
    def differs(self) -> bool:
        """Whether the implementation is not the spec's."""
        return any(check.failed for check in self.checks)
