"""Random choices and short exact numbers."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True)
class Dice:
    """Choices of one generator."""

    rng: np.random.Generator

    def of(self, *choices: T) -> T:
        """One of the choices, each as likely."""
        return choices[int(self.rng.integers(len(choices)))]

    def whole(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def log_uniform(self, low: float, high: float) -> float:
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def normal(self) -> float:
        return float(self.rng.normal())

    def shuffled(self, n: int) -> list[int]:
        """The numbers below n in random order."""
        return [int(k) for k in self.rng.permutation(n)]

    def decimal(self, value: float) -> Fraction:
        """The number of three digits nearest to ``value``."""
        return Fraction(f"{float(value):.3g}")
