"""The e-process of a claim: a sequential bet that every shadow pair updates (A4).

Round t is one shadow of each world.  What is bet in it (the score, its calibration, the e-variable)
is learned from the rounds before it alone, at the fixed times of ``refits``, so wealth does not depend
on how the shadows arrive.  Wealth is averaged over scores: an average of e-processes is an e-process,
so many scores cost nothing but their share.  By Ville's inequality a claim that holds ever sees wealth
1/level with probability at most ``level``, whenever the audit looks and stops.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from certaudit.audit.scores import Score
from certaudit.audit.statistics.calibration import Calibration
from certaudit.audit.statistics.evalue import Null, Ratios, growth, log_e
from certaudit.audit.statistics.folds import out_of_fold

Floats = NDArray[np.float64]

FIRST_FIT = 6


def refits() -> Iterator[int]:
    """Numbers of past rounds at which bets are renewed: 0, 6, 9, 13, 19, ..."""
    yield 0
    at = FIRST_FIT
    while True:
        yield at
        at = at * 3 // 2


@dataclass
class Wealth:
    """Wealth against one claim: the average over ``nulls`` and scores.

    ``nulls`` are sets that each contain all pairs of laws that keep the claim.  ``level``: refuted at
    wealth 1/level.  ``reached``: largest log wealth so far; ``refuted_after``: pairs it took.
    ``beside``: the audit does not go on for its sake.
    """

    nulls: Sequence[Null]
    level: float
    logs: dict[tuple[str, int], float] = field(default_factory=dict)
    reached: float = 0.0
    refuted_after: int | None = None
    beside: bool = False

    @property
    def needed(self) -> float:
        """Log wealth that refutes."""
        return -math.log(self.level)

    @property
    def now(self) -> float:
        """Log wealth."""
        return (
            float(logsumexp(list(self.logs.values())) - math.log(len(self.logs))) if self.logs else 0.0
        )

    def leaders(self) -> str:
        """The scores that gained most, and by what factor."""
        best: dict[str, float] = {}
        for (name, _), gained in self.logs.items():
            best[name] = max(best.get(name, -math.inf), gained)
        top = sorted(best, key=lambda name: best[name], reverse=True)[:2]
        return "wealth " + ", ".join(f"{math.exp(min(best[n], 700.0)):.3g} by {n}" for n in top)


class EProcesses:
    """Wealth against several claims on one stream of shadow pairs."""

    def __init__(self, scores: Sequence[Score], wealths: Sequence[Wealth]) -> None:
        self._scores, self.wealths = list(scores), list(wealths)
        for wealth in wealths:
            wealth.logs = {(s.name, k): 0.0 for s in scores for k in range(len(wealth.nulls))}
        self._p: Floats | None = None
        self._q: Floats | None = None
        self._schedule = refits()
        self._next = next(self._schedule)
        self._ready: dict[str, tuple[Score, Calibration, Ratios]] = {}
        self.rounds = 0

    @property
    def done(self) -> bool:
        """Whether every claim is refuted."""
        waited_for = [wealth for wealth in self.wealths if not wealth.beside] or self.wealths
        return all(wealth.refuted_after is not None for wealth in waited_for)

    def extend(self, p: Floats, q: Floats) -> None:
        """Bet on further rounds, p[t] against q[t]: (m, parameters) each."""
        start = self.rounds
        self._p = p if self._p is None else np.concatenate([self._p, p])
        self._q = q if self._q is None else np.concatenate([self._q, q])
        end = start + len(p)
        while self.rounds < end and not self.done:
            if self.rounds == self._next:
                self._renew()
                self._next = next(self._schedule)
            stop = min(end, self._next)
            self._bet(slice(self.rounds, stop))
            self.rounds = stop

    def ratios(self) -> dict[str, Ratios]:
        """Every score's calibrated log-ratios of past shadows at the last renewal."""
        return {name: past for name, (_, _, past) in self._ready.items()}

    def best_growth(self, nulls: Sequence[Null]) -> float:
        """Largest growth rate that any score's past promises against any of the nulls; an estimate."""
        tables = self.ratios().values()
        return max((growth(null.bet(past), past) for past in tables for null in nulls), default=0.0)

    @property
    def scores(self) -> int:
        """How many scores are bet on."""
        return len(self._scores)

    def _renew(self) -> None:
        assert self._p is not None
        assert self._q is not None
        p, q = self._p[: self.rounds], self._q[: self.rounds]
        for score in self._scores:
            if score.learns and len(p) < max(score.least, FIRST_FIT):
                continue
            try:
                past_p, past_q = out_of_fold(score, p, q)
                score.fit(p, q)
            except np.linalg.LinAlgError:  # shadows too alike to fit: not bet on until the next time
                self._ready.pop(score.name, None)
                continue
            calibration = Calibration(past_p, past_q, log_ratio=score.log_ratio)
            ratio_p, ratio_q = calibration.log_ratio(past_p), calibration.log_ratio(past_q)
            self._ready[score.name] = score, calibration, _past(ratio_p, ratio_q)

    def _bet(self, rounds: slice) -> None:
        assert self._p is not None
        assert self._q is not None
        values = {
            name: (
                calibration.log_ratio(score.score(self._p[rounds])),
                calibration.log_ratio(score.score(self._q[rounds])),
            )
            for name, (score, calibration, _) in self._ready.items()
        }
        for wealth in self.wealths:
            if wealth.refuted_after is not None:
                continue
            paths = []
            for (name, k), before in wealth.logs.items():
                path = np.full(rounds.stop - rounds.start, before)
                if name in values:
                    bet = wealth.nulls[k].bet(self._ready[name][2])
                    path = before + np.cumsum(log_e(bet, *values[name]))
                paths.append(path)
            together = logsumexp(paths, axis=0) - math.log(len(paths))
            crossed = np.flatnonzero(together >= -math.log(wealth.level))
            last = int(crossed[0]) if crossed.size else len(together) - 1
            wealth.reached = max(wealth.reached, float(together[: last + 1].max()))
            wealth.logs = {key: float(path[last]) for key, path in zip(wealth.logs, paths, strict=True)}
            if crossed.size:
                wealth.refuted_after = rounds.start + last + 1


def _past(p: Floats, q: Floats) -> Ratios:
    """The table bets are tuned on: what was seen, or, before anything was, a guess."""
    if len(p) < FIRST_FIT:
        value = np.linspace(-3, 3, 41)
        weight = np.exp(-(value**2) / 2)
        p_weight, q_weight = weight * np.exp(value / 2), weight * np.exp(-value / 2)
        return Ratios(value, p_weight / p_weight.sum(), q_weight / q_weight.sum())
    return Ratios.of(p, q)
