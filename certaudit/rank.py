"""Every row of a run as the single forgotten point, ranked by how much its removal still shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from certaudit.claims import EpsilonDelta
from certaudit.core.affine import is_affine
from certaudit.core.balls import precision
from certaudit.core.proof import BITS
from certaudit.core.rule import Refusal
from certaudit.core.statement import HockeyStick
from certaudit.estimates.epsilon import epsilons
from certaudit.estimates.laws import Laws, forgetting
from certaudit.estimates.pairs import whitened
from certaudit.run import Run
from certaudit.search.evidence import Evidence
from certaudit.search.lines import of
from certaudit.search.verify import verify_claim

Floats = NDArray[np.float64]
CHUNK = 256


class NotRankable(Exception):
    """The run is not of a shape that can be ranked; says why in one line."""


@dataclass(frozen=True)
class Proved:
    """What the formal half proves of one row: epsilon at most ``upper``, and at least ``lower`` where
    the exact tier applies; None where nothing is proved."""

    lower: Fraction | None
    upper: Fraction | None
    route: str


@dataclass(frozen=True)
class Row:
    """One row as the forgotten point.

    ``first``, ``second``: float estimates of epsilon for P against Q and Q against P (None where the run
    is not affine, or the float search failed), ``error`` an estimate of their absolute error.
    ``norm``: |x|; ``target``: y; ``residual``: x.w - y at the mean of the model never shown the row.
    """

    row: int
    first: float | None
    second: float | None
    error: float | None
    norm: float
    target: float
    residual: float | None
    proved: Proved | None = None

    @property
    def estimate(self) -> float | None:
        """The worse of the two directions."""
        known = [x for x in (self.first, self.second) if x is not None]
        return max(known) if len(known) == 2 else None

    @property
    def size(self) -> float:
        """What the table is sorted by; infinite where nothing is known."""
        if self.estimate is not None:
            return self.estimate
        if self.proved is not None and self.proved.upper is not None:
            return float(self.proved.upper)
        return np.inf


def rank(
    run: Run,
    delta: Fraction,
    *,
    rigorous: Sequence[int] = (),
    top: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """All rows, the one that shows most first.

    Affine runs: float estimates for all, and a proof for the rows ``rigorous`` and the ``top`` first.
    Others: the best proved bound for every row.

    Raises:
        NotRankable: if the run has several requests or is a network, or delta is not above 0.
    """
    if len(run.requests) != 1:
        raise NotRankable("needs a run with a single deletion request")
    if not delta > 0:
        raise NotRankable("needs a delta above 0")
    if run.network is not None:
        raise NotRankable("what is proved about a network does not tell one row from another")
    affine = _affine(run)
    rows = _estimates(run, delta) if affine else _bare(run)
    rows.sort(key=lambda one: (-one.size, one.row))
    wanted = [*rigorous, *(one.row for one in rows[:top])] if affine else range(run.n)
    wanted = list(dict.fromkeys(wanted))
    proofs: dict[int, Proved] = {}
    for k, row in enumerate(wanted):
        proofs[row] = prove(run, row, delta)
        if progress is not None:
            progress(k + 1, len(wanted))
    rows = [_with(one, proofs.get(one.row)) for one in rows]
    return rows if affine else sorted(rows, key=lambda one: (-one.size, one.row))


def prove(run: Run, row: int, delta: Fraction) -> Proved:
    """The formal half on one row: the exact bracket, or the best proved bound."""
    evidence = Evidence(forgetting(run, row))
    claim = EpsilonDelta("rank", Fraction(0), delta)
    with precision(BITS), np.errstate(all="ignore"):
        if evidence.exact and run.release == "final":
            try:
                ends = [pair.epsilon(delta) for pair in evidence.exact.values()]
            except (Refusal, ValueError):
                ends = []
            if ends:
                floors = [of(end.low, HockeyStick).epsilon for end in ends if end.low is not None]
                upper = max(end.upper for end in ends)
                return Proved(max(floors, default=Fraction(0)), upper, "exact tier")
        bounds = [b for b in verify_claim(evidence, claim).bounds if b.value is not None]
    if not bounds:
        return Proved(None, None, "no rule applies")
    return Proved(None, bounds[0].value, bounds[0].route)


def _affine(run: Run) -> bool:
    return is_affine(run) and run.release == "final"


def _estimates(run: Run, delta: Fraction) -> list[Row]:
    laws = Laws(run)
    found: list[Row] = []
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # many small matrices: threads only get in each other's way
        for first in range(0, run.n, CHUNK):
            part = list(range(first, min(first + CHUNK, run.n)))
            found += _part(laws, part, float(delta))
    return found


def _part(laws: Laws, part: list[int], delta: float) -> list[Row]:
    mean_p, cov_p = laws("P", part)
    mean_q, cov_q = laws("Q", part)
    try:
        pairs = whitened(mean_p, cov_p, mean_q, cov_q)
    except np.linalg.LinAlgError:
        raise NotRankable("the models carry no noise: their laws have no density") from None
    one, two = epsilons(pairs, delta), epsilons(pairs.swapped(), delta)
    X, y = laws.X[part], laws.y[part]
    residuals = (X * mean_q).sum(axis=1) - y
    return [
        Row(
            row=row,
            first=_known(one.epsilon[k]),
            second=_known(two.epsilon[k]),
            error=_known(max(one.error[k], two.error[k])),
            norm=float(np.linalg.norm(X[k])),
            target=float(y[k]),
            residual=float(residuals[k]),
        )
        for k, row in enumerate(part)
    ]


def _bare(run: Run) -> list[Row]:
    X, y = np.asarray(run.X, dtype=np.float64), np.asarray(run.y, dtype=np.float64)
    return [
        Row(j, None, None, None, float(np.linalg.norm(X[j])), float(y[j]), None) for j in range(run.n)
    ]


def _with(row: Row, proved: Proved | None) -> Row:
    return row if proved is None else Row(**{**row.__dict__, "proved": proved})


def _known(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
