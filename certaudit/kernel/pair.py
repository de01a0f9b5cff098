"""The exact tier (section 7): a pair of Gaussians whitened, and its Rényi function M(s)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import acb, arb, arb_mat

from certaudit.kernel.balls import ball, cholesky, norm_squared
from certaudit.kernel.expr import compile_formula, equation, evaluate
from certaudit.kernel.statement import Premise, Rule, Statement, Undecided, expect

WHITEN = Rule("E2", "Whitened pair in tridiagonal form", "section 7; Householder 1958")
EXACT_RENYI = Rule("E3", "Exact Rényi divergence of two Gaussians", "section 7; Gil et al. 2013")
s, a, b2, p, gamma, rho, tau = sp.symbols("s a b^2 p gamma rho tau")
nu, pivot, ell, ell1, d, order = sp.symbols("nu p_1 ell ell_1 d alpha")
_d = sp.Symbol("d", integer=True, positive=True)
_gap, _factor = sp.MatrixSymbol("Delta", _d, 1), sp.MatrixSymbol("L", _d, _d)
_first, _second = sp.MatrixSymbol("S_1", _d, _d), sp.MatrixSymbol("S_2", _d, _d)
MAHALANOBIS = equation(sp.MatrixSymbol("nu", _d, 1), _factor.I * _gap)
EXCESS = equation(sp.MatrixSymbol("E", _d, _d), _factor.I * (_first - _second) * _factor.T.I)
PIVOT = equation(sp.Symbol("p_k"), 1 - s * a - s**2 * b2 / p)
LOG_M = equation(sp.Symbol("log M(s)"), s * (s + 1) * nu**2 / (2 * pivot) - ell / 2 - s * ell1 / 2)
ERROR = equation(
    sp.Symbol("e(s)"),
    sp.Abs(s * (s + 1))
    / 2
    * (
        nu**2 * sp.Abs(s) * rho / (gamma * (gamma - sp.Abs(s) * rho))
        + tau * (2 * sp.Abs(nu) + tau) / (gamma - sp.Abs(s) * rho)
    )
    - d * sp.log(1 - sp.Abs(s) * rho / gamma) / 2
    - sp.Abs(s) * d * sp.log(1 - rho / sp.Symbol("gamma_1")) / 2,
)
RENYI = equation(sp.Symbol("D"), sp.Symbol("log M") / (order - 1))


@dataclass(frozen=True)
class Whitened:
    """N(nu e_1, I + T + dropped) against N(0, I): T symmetric tridiagonal by its diagonal and squared
    off-diagonal, the dropped matrix of spectral norm at most ``rho``, the dropped mean at most ``tau``.
    ``dimension`` is that of the laws, T may be smaller."""

    diagonal: tuple[arb, ...]
    off_diagonal_squared: tuple[arb, ...]
    nu: arb
    rho: arb
    tau: arb
    dimension: int

    def truncated(self, keep: int) -> Whitened:
        """Only the leading ``keep`` rows of T; the norm of what is dropped joins rho."""
        diagonal, off = self.diagonal, self.off_diagonal_squared
        if keep >= len(diagonal):
            return self
        dropped = norm_squared(y.abs_upper() for y in diagonal[keep:])
        dropped += sum((2 * y.abs_upper() for y in off[keep - 1 :]), arb(0))
        return replace(
            self,
            diagonal=diagonal[:keep],
            off_diagonal_squared=off[: keep - 1],
            rho=(self.rho + dropped.sqrt()).upper(),
        )


def whitened(pair: Statement) -> Whitened:
    """The working form of a pair."""
    expect(pair, "pair")
    assert isinstance(pair.work, Whitened)
    return pair.work


def whiten(law: Statement, direction: str) -> Statement:
    """E2: in coordinates where the second law is N(0, I), the first is N(nu, I + E).

    States |nu|^2, trace E and log det(I + E); works with E in tridiagonal form and nu along the first
    axis.  The reflections use exact vectors, so the change of coordinates is exactly orthogonal;
    what is dropped is bounded (see :class:`Whitened`).
    Premise checked: both covariances are positive definite.
    """
    expect(law, "law")
    first, second = ("P", "Q") if direction == "P|Q" else ("Q", "P")
    factor = cholesky(law.values[f"covariance_{second}"])
    own = cholesky(law.values[f"covariance_{first}"])
    if factor is None or own is None:
        raise Undecided("E2: a covariance could not be shown positive definite")
    n = len(factor)
    lower_factor = arb_mat([[*row, *[arb(0)] * (n - len(row))] for row in factor])
    gap = law.values[f"covariance_{first}"] - law.values[f"covariance_{second}"]
    excess = lower_factor.solve(lower_factor.solve(gap).transpose())
    excess = (excess + excess.transpose()) / 2
    shift = lower_factor.solve(law.values[f"mean_{first}"] - law.values[f"mean_{second}"])
    stated = {
        "mahalanobis_squared": norm_squared(shift.entries()),
        "trace": sum((excess[i, i] for i in range(n)), arb(0)),
        "log_det": 2 * sum(((own[i][i] / factor[i][i]).log() for i in range(n)), arb(0)),
    }
    for k in range(-1, n - 2):
        source = [shift[i, 0] for i in range(n)] if k < 0 else [excess[i, k] for i in range(n)]
        normal = _reflection_normal(source, k + 1)
        if normal is not None:
            excess, shift = _reflect(excess, shift, normal)
    off = tuple(excess[i + 1, i] for i in range(n - 1))
    dropped = [excess[i, j] for i in range(n) for j in range(n) if abs(i - j) > 1]
    rest = [shift[i, 0] for i in range(1, n)]
    return WHITEN.conclude(
        "pair",
        formulas=(MAHALANOBIS, EXCESS),
        values=stated,
        exact={"directions": (direction,), "observer": law.exact["observer"], "dimension": n},
        premises=(Premise("covariances", "both covariances are positive definite"),),
        uses=(law,),
        subject=law.subject,
        work=Whitened(
            diagonal=tuple(excess[i, i] for i in range(n)),
            off_diagonal_squared=tuple(y * y for y in off),
            nu=shift[0, 0],
            rho=_norm_bound(dropped),
            tau=_norm_bound(rest),
            dimension=n,
        ),
    )


class RenyiFunction:
    """log M(s) = log E_P[(p/q)^s] of a whitened pair, on a strip low <= Re s <= high.

    On the strip I - Re(s) T >= gamma I, so every pivot of I - sT has a positive real part, its
    principal logarithms sum to the analytic log det, and dropped terms change log M by at most e(s).
    """

    def __init__(self, pair: Whitened, low: arb, high: arb) -> None:
        self.pair = pair
        self.low, self.high = low, high
        self.gamma = _margin(pair, (low, high))
        self.constants = {
            nu: pair.nu,
            rho: pair.rho,
            tau: pair.tau,
            d: arb(pair.dimension),
            gamma: self.gamma,
            sp.Symbol("gamma_1"): _margin(pair, (arb(-1),)),
        }
        self.constants[ell1] = self._pivots(arb(-1))[1]
        self._log_m, self._error = compile_formula(LOG_M.rhs), compile_formula(ERROR.rhs)

    def __call__(self, point: acb) -> acb:
        """Enclosure of log M over the box ``point``; not finite where it cannot tell."""
        if not (point.real >= self.low and point.real <= self.high):
            return acb("nan")
        first, log_det = self._pivots(point)
        value = self._log_m({**self.constants, s: point, pivot: first, ell: log_det})
        error = self._error({**self.constants, s: abs(point)})
        if not error.is_finite() or not (self.gamma > abs(point) * self.constants[rho]):
            return acb("nan")
        slack = error.abs_upper() * arb(0, 1)
        return acb(value) + acb(slack, slack)

    def _pivots(self, point: Any) -> tuple[Any, Any]:
        diagonal, off = self.pair.diagonal, self.pair.off_diagonal_squared
        step = compile_formula(PIVOT.rhs)
        last, log_det = 1 - point * diagonal[-1], 0
        for k in reversed(range(len(diagonal))):
            if k < len(diagonal) - 1:
                last = step({s: point, a: diagonal[k], b2: off[k], p: last})
            if not last.real > 0:
                return acb("nan"), acb("nan")
            log_det = log_det + last.log()
        return last, log_det


def exact_renyi(pair: Statement, alpha: Fraction) -> Statement:
    """E3: D_alpha of the pair's direction, exactly; +infinity when alpha S_Q + (1-alpha) S_P is
    certainly not positive definite."""
    if not alpha > 1:
        raise TypeError("E3: an order above 1")
    point, form = ball(alpha - 1), whitened(pair)
    if _certainly_indefinite(form, point):
        value = arb("inf")
    else:
        log_m = RenyiFunction(form, point.lower(), point.upper())(acb(point)).real
        value = evaluate(RENYI, {sp.Symbol("log M"): log_m, order: ball(alpha)})
        if not value.is_finite():
            raise Undecided("E3: the divergence could not be enclosed")
    return EXACT_RENYI.conclude(
        "renyi",
        formulas=(PIVOT, LOG_M, ERROR, RENYI),
        values={"r": value},
        exact={"order": alpha, "exactness": "exact", **scope(pair)},
        uses=(pair,),
        subject=pair.subject,
    )


def scope(pair: Statement) -> dict[str, Any]:
    """Direction and observer, carried on to what is derived from the pair."""
    return {"directions": pair.exact["directions"], "observer": pair.exact["observer"]}


def _norm_bound(entries: Sequence[arb]) -> arb:
    return norm_squared(entry.abs_upper() for entry in entries).sqrt().upper()


def _reflection_normal(source: list[arb], first: int) -> arb_mat | None:
    middle = [arb(0) if i < first else y.mid() for i, y in enumerate(source)]
    norm = norm_squared(middle).sqrt().mid()
    if not norm > 0:
        return None
    middle[first] += norm if middle[first] >= 0 else -norm
    normal = arb_mat([[y.mid()] for y in middle])
    return normal if norm_squared(normal.entries()) > 0 else None


def _reflect(matrix_: arb_mat, vector: arb_mat, normal: arb_mat) -> tuple[arb_mat, arb_mat]:
    size = norm_squared(normal.entries())
    image = matrix_ * normal * (2 / size)
    inner = (normal.transpose() * image)[0, 0] / size
    side = image - normal * inner
    update = normal * side.transpose()
    matrix_ = matrix_ - update - update.transpose()
    along = (normal.transpose() * vector)[0, 0] * (2 / size)
    return matrix_, vector - normal * along


def _tridiagonal_pivots(pair: Whitened, point: arb, level: arb) -> list[arb]:
    """Pivots of level I - point T, from the last row up."""
    diagonal, off = pair.diagonal, pair.off_diagonal_squared
    pivots: list[arb] = []
    for k in reversed(range(len(diagonal))):
        step = level - point * diagonal[k]
        pivots.append(step - point * point * off[k] / pivots[-1] if pivots else step)
    return pivots


def _margin(pair: Whitened, points: Sequence[arb]) -> arb:
    """A gamma > 0 with I - x T >= gamma I at every point (hence between them)."""
    for j in range(1, 400):
        slack = arb(2) ** -j
        levels = [_tridiagonal_pivots(pair, y, 1 - slack) for y in points]
        if all(all(value > 0 for value in pivots) for pivots in levels):
            return slack
    raise Undecided("the order lies outside the domain of the Rényi function, or too near its edge")


def _certainly_indefinite(pair: Whitened, point: arb) -> bool:
    """Whether I - point (T + dropped part) certainly has a negative eigenvalue."""
    pivots = _tridiagonal_pivots(pair, point, 1 + point * pair.rho)
    for value in pivots:
        if value < 0:
            return True
        if not value > 0:
            return False
    return False
