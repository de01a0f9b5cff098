"""What every kind of claim must say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from certaudit.core.statement import Direction, Observer, Statement

BOTH: tuple[Direction, ...] = ("P|Q", "Q|P")
STRENGTH: tuple[Observer, ...] = ("final", "before-and-after", "every-step")
"""Observers; each sees all that those before it see."""

Theorem = Literal[
    "benarroch-2026",
    "chien-2024a",
    "chien-2024b",
    "neel-2021",
    "koloskova-2025",
    "sepahvand-2025",
    "guo-2020",
]


class Claim(ABC):
    """A claim, as plain exact data.

    ``id`` names it in its spec; ``theorem`` is the one its issuer used; ``after`` names the deletion
    request, counted from 1, after which the model is released (None: the last one).
    """

    kind: ClassVar[str]
    id: str
    theorem: Theorem | None
    after: int | None

    @abstractmethod
    def cases(self) -> tuple[str, ...]:
        """What must be proved one by one: the directions, or the worlds."""

    @abstractmethod
    def proved_by(self, statement: Statement, case: str, release: Observer) -> bool:
        """Whether the statement certainly proves this case for an observer of ``release``."""

    @abstractmethod
    def broken_by(self, statement: Statement, release: Observer) -> bool:
        """Whether the statement certainly breaks the claim for an observer of ``release``."""


def seen(observer: Observer, release: Observer) -> bool:
    """Whether a bound for ``observer`` holds for one who sees what is released."""
    return observer in STRENGTH[STRENGTH.index(release) :]


def shown(observer: Observer, release: Observer) -> bool:
    """Whether what ``observer`` sees is part of what is released."""
    return observer in STRENGTH[: STRENGTH.index(release) + 1]
