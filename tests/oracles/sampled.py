"""Lower bounds of divergences by simulation, with confidence.

Some models fit the scores and some fix the thresholds; the rest are counted above each threshold in
both worlds, and Clopper-Pearson bounds both shares.  At most 4 scores x 81 thresholds x 2 worlds x 2
directions are bounded at 1e-10 each: all the bounds of a run hold at once, whatever is asked and however
often, but with probability 1.3e-7.
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np
from oracles import tradeoff
from oracles.scores import scores
from oracles.simulation import draw
from oracles.worlds import shown_first
from scipy.special import betaincinv, ndtri

from certaudit.run import Run

MODELS, FIT, CUT = 4500, 700, 400
LEVEL = 1e-10
THRESHOLDS = 80


@dataclass(frozen=True)
class Events:
    """Bounds of the probabilities of events: P's from below, Q's from above."""

    p: np.ndarray
    q: np.ndarray


@dataclass(frozen=True)
class SampledTruth:
    """Lower bounds only: nothing is known above."""

    run: Run
    seed: int

    @cached_property
    def _values(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Every score of every model that was not fitted on, in both worlds."""
        streams = [np.random.default_rng([self.seed, k]) for k in range(2)]
        run = shown_first(self.run)
        p, q = (draw(run, w, MODELS, rng) for w, rng in zip("PQ", streams, strict=True))
        rest = slice(FIT, None)
        with np.errstate(all="ignore"):
            found = [(s(p, rest), s(q, rest)) for s in scores(run, p, q, slice(0, FIT))]
        return [(a, b) for a, b in found if np.isfinite(a).all() and np.isfinite(b).all()]

    @cached_property
    def _events(self) -> dict[str, Events]:
        ways = {"P|Q": self._values, "Q|P": [(-b, -a) for a, b in self._values]}
        return {direction: _events(pairs) for direction, pairs in ways.items()}

    def delta(self, direction: str, epsilon, level=None) -> tuple[float, float]:
        return float(self.deltas(direction, np.array([float(epsilon)]))[0]), 1.0

    def deltas(self, direction: str, epsilons: np.ndarray) -> np.ndarray:
        """Lower bounds of delta at each epsilon."""
        events = self._events[direction]
        return np.array(
            [max(0.0, (events.p - np.exp(min(e, 600.0)) * events.q).max()) for e in epsilons]
        )

    def epsilon(self, direction: str, delta: float) -> float:
        """A lower bound of the epsilon at which delta is reached."""
        return tradeoff.epsilon(lambda e: float(self.deltas(direction, np.array([e]))[0]), delta)

    def renyi(self, direction: str, order) -> tuple[float, float]:
        """The divergence of two coins, which only falls where the shares come closer."""
        events, order = self._events[direction], float(order)
        apart = (events.p > events.q) & (events.q > 0)
        p, q = events.p[apart], events.q[apart]
        if not len(p):
            return 0.0, inf
        total = p**order * q ** (1 - order) + (1 - p) ** order * (1 - q) ** (1 - order)
        return max(0.0, float(np.log(total).max()) / (order - 1)), inf

    def mu(self, direction: str, slack: float) -> float:
        """A lower bound of the least mu."""
        events = self._events[direction]
        p, q = np.clip(events.p - slack, 1e-12, 1 - 1e-12), np.clip(events.q, 1e-12, 1 - 1e-12)
        return max(0.0, float((ndtri(p) - ndtri(q)).max()))

    def mu_suffices(self, direction: str, mu: float, slack: float) -> bool:
        """Never known."""
        return False


def _events(pairs: list[tuple[np.ndarray, np.ndarray]]) -> Events:
    p, q = [], []
    for first, second in pairs:
        pooled = np.concatenate([first[:CUT], second[:CUT]])
        cuts = np.unique(np.quantile(pooled, np.linspace(0, 1, THRESHOLDS)))
        cuts = np.append(cuts[0] - 1, cuts)
        p.append(clopper_pearson(_above(first[CUT:], cuts), len(first) - CUT, upper=False))
        q.append(clopper_pearson(_above(second[CUT:], cuts), len(second) - CUT, upper=True))
    return Events(np.concatenate(p), np.concatenate(q))


def _above(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    return len(values) - np.searchsorted(np.sort(values), cuts, side="right")


def clopper_pearson(counts: np.ndarray, tests: int, upper: bool, level: float = LEVEL) -> np.ndarray:
    """A bound of the probability after so many successes, missed with probability ``level``."""
    if upper:
        inner = np.minimum(counts, tests - 1)
        return np.where(counts >= tests, 1.0, betaincinv(inner + 1.0, tests - inner, 1 - level))
    inner = np.maximum(counts, 1)
    return np.where(counts <= 0, 0.0, betaincinv(inner + 0.0, tests - inner + 1.0, level))
