"""Truth about affine runs of any dimension."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from math import inf

import numpy as np
from oracles import tradeoff
from oracles.gaussian_law import MP, Normal, final_law, number, pair_law, path_law
from oracles.gaussian_pair import Pair, diagonal, renyi
from oracles.gaussian_stick import hockey_stick, hockey_stick_mp
from oracles.worlds import steps

from certaudit.run import Run

NEAR = 1e-6
FLOAT_ERROR = 1e-8
ERROR = Fraction(1, 10**25)
LONGEST_PATH = 12


@dataclass(frozen=True)
class GaussianTruth:
    """Enclosures of the divergences of an affine run."""

    run: Run

    @cached_property
    def _open(self) -> bool:
        """Whether the observer sees more than the law taken here, so that truth may be larger."""
        return self.run.release == "every-step" and not self._by_path

    @cached_property
    def _by_path(self) -> bool:
        lengths = {len(steps(self.run, world)) for world in "PQ"}
        size = (max(lengths) + 1) * self.run.X.shape[1]
        return self.run.release == "every-step" and len(lengths) == 1 and size <= LONGEST_PATH

    @cached_property
    def _laws(self) -> tuple[Normal, Normal]:
        seen = {"final": final_law, "before-and-after": pair_law, "every-step": path_law}
        law = final_law if self._open else seen[self.run.release]
        return law(self.run, "P"), law(self.run, "Q")

    @cached_property
    def _pairs(self) -> dict[str, Pair | None]:
        p, q = self._laws
        return {"P|Q": diagonal(p, q), "Q|P": diagonal(q, p)}

    def delta(self, direction: str, epsilon: Fraction, level: Fraction) -> tuple:
        """Bounds of delta(epsilon), close ones where it is near ``level``."""
        pair = self._pairs[direction]
        if pair is None:
            return 1, 1
        rough = hockey_stick(pair, float(epsilon))
        if abs(rough - level) > NEAR * level:
            low, high = rough * (1 - FLOAT_ERROR), rough * (1 + FLOAT_ERROR)
        else:
            value = fraction(hockey_stick_mp(pair, number(epsilon)))
            low, high = value * (1 - ERROR), value * (1 + ERROR)
        return low, 1 if self._open else high

    def deltas(self, direction: str, epsilons: np.ndarray) -> np.ndarray:
        """delta at each epsilon, in floats."""
        pair = self._pairs[direction]
        if pair is None:
            return np.ones(len(epsilons))
        return np.array([hockey_stick(pair, float(e)) for e in epsilons])

    def epsilon(self, direction: str, delta: float) -> float:
        """Where delta is reached (0 if it is there already, inf if never)."""
        return tradeoff.epsilon(lambda e: float(self.deltas(direction, np.array([e]))[0]), delta)

    def renyi(self, direction: str, order: Fraction) -> tuple:
        pair = self._pairs[direction]
        if pair is None:
            return inf, inf
        value = renyi(pair, number(order))
        if value == MP.inf:
            return inf, inf
        value = fraction(value)
        return value * (1 - ERROR) - ERROR, inf if self._open else value * (1 + ERROR) + ERROR

    def mu(self, direction: str, slack: float) -> float:
        """A lower bound of the least mu."""
        return tradeoff.least_mu(partial(self.deltas, direction), slack, 1e-12)

    def mu_suffices(self, direction: str, mu: float, slack: float) -> bool:
        """Whether that mu is certainly enough."""
        sticks = partial(self.deltas, direction)
        return not self._open and tradeoff.mu_suffices(sticks, mu, slack, 1e-12)


def fraction(value) -> Fraction:
    """One of MP's numbers, exactly."""
    sign, mantissa, exponent, _ = value._mpf_
    return Fraction(-mantissa if sign else mantissa) * Fraction(2) ** exponent
