"""The exact tier (section 7): laws of affine runs, their divergences, both directions.

Source: the affine recursion is elementary; the hockey-stick integral is ALG22's identity (C6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import acb, arb, arb_mat

from certaudit.kernel.balls import (
    Exact,
    ball,
    cholesky,
    column,
    identity,
    matrix,
    norm_squared,
    precision,
)
from certaudit.kernel.expr import compile_formula, evaluate
from certaudit.kernel.sensitivity import STEP_DRIFT, STEP_MATRIX, affine_step, dimension
from certaudit.kernel.spectrum import World
from certaudit.kernel.statement import NotApplicable, Premise, Rule, Statement, Undecided, expect
from certaudit.run import Phase, Run

LAW = Rule("E1", "Exact Gaussian laws of an affine run", "section 7")
GIVEN = Rule("given", "Two Gaussian laws stated by the caller", "definition")
WHITEN = Rule("E2", "Whitened pair in tridiagonal form", "section 7; Householder 1958")
EXACT_RENYI = Rule("E3", "Exact Rényi divergence of two Gaussians", "section 7; Gil et al. 2013")
C6 = Rule("C6", "Exact hockey-stick divergence from the Rényi function", "section 6; ALG22")
C6_LINE = Rule("C6-1d", "Exact hockey-stick divergence in one dimension", "Neyman–Pearson lemma")

s, a, b2, p, gamma, rho, tau = sp.symbols("s a b^2 p gamma rho tau")
nu, pivot, ell, ell1, d, c, eps, order, x = sp.symbols("nu p_1 ell ell_1 d c epsilon alpha x")

PIVOT = sp.Eq(sp.Symbol("p_k"), 1 - s * a - s**2 * b2 / p)
LOG_M = sp.Eq(sp.Symbol("log M(s)"), s * (s + 1) * nu**2 / (2 * pivot) - ell / 2 - s * ell1 / 2)
ERROR = sp.Eq(
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
RENYI = sp.Eq(sp.Symbol("D"), sp.Symbol("log M") / (order - 1))
INTEGRAND = sp.exp(sp.Symbol("log M(s)") - s * eps) / (s * (s + 1))
DELTA = sp.Eq(
    sp.Symbol("delta"),
    sp.re(
        sp.Integral(sp.exp(sp.Function("log M")(s) - s * eps) / (s * (s + 1)), (s, c, c + sp.I * sp.oo))
        / (sp.pi * sp.I)
    ),
)

quad, lin, const, disc = sp.symbols("q_2 q_1 q_0 Delta")
lam, v = sp.symbols("lambda v")
ROOT_QUAD = lam / (2 * (1 + lam))
ROOT_LINEAR = v / (1 + lam)
ROOT_CONST = -(v**2 / (2 * (1 + lam)) + sp.log(1 + lam) / 2 + eps)
DISCRIMINANT = lin**2 - 4 * quad * const
BELOW = sp.erfc(-x / sp.sqrt(2)) / 2


A1, A2, S1, S2 = (sp.MatrixSymbol(name, dimension, dimension) for name in ("A_1", "A_2", "S_1", "S_2"))
M1, M2 = (sp.MatrixSymbol(name, dimension, 1) for name in ("m_1", "m_2"))
LINEAR = sp.Eq(sp.MatrixSymbol("A_12", dimension, dimension), A2 * A1)
SHIFT = sp.Eq(sp.MatrixSymbol("m_12", dimension, 1), A2 * M1 + M2)
NOISE = sp.Eq(sp.MatrixSymbol("S_12", dimension, dimension), A2 * S1 * A2.T + S2)


@dataclass(frozen=True)
class AffineMap:
    """Law map w -> A w + N(m, S); one step has m = b and S = sigma^2 I."""

    linear: arb_mat
    shift: arb_mat
    noise: arb_mat


def affine_law(run: Run) -> Statement:
    """E1: the laws P and Q of an affine run, each N(m, S), exactly.

    m <- A m + eta b and S <- A S A^T + sigma^2 I with A = I - eta H, composed over a phase by repeated
    squaring.  Premises: ridge, no projection, no clip, point or Gaussian start, full batches.
    """
    if run.loss != "ridge" or run.projection is not None or run.clip is not None:
        raise NotApplicable(
            LAW, "the run is not affine: it needs the ridge loss without projection or clip"
        )
    start = AffineMap(
        identity(run.d), column(run.start.mean), _scaled_identity(run.d, run.start.variance)
    )
    deleted = _phase(run, "D'", run.unlearn)
    p_law = _compose(deleted, _compose(_phase(run, "D", run.learn), start))
    if run.reference.kind == "unlearn-retrained":
        q_law = _compose(deleted, _compose(_phase(run, "D'", run.learn), start))
    else:
        schedule = Phase(run.reference.steps, run.learn.step_size, run.learn.noise_variance)
        q_law = _compose(_phase(run, "D'", schedule), start)
    return LAW.conclude(
        "law",
        formulas=(STEP_MATRIX, STEP_DRIFT, LINEAR, SHIFT, NOISE),
        values={
            "mean_P": p_law.shift,
            "covariance_P": p_law.noise,
            "mean_Q": q_law.shift,
            "covariance_Q": q_law.noise,
        },
        exact={"observer": "final"},
        premises=(Premise("affine", "ridge loss, full batches, no projection, no clip"),),
        subject=run,
    )


def given_law(
    mean_p: Sequence[Exact],
    cov_p: Sequence[Sequence[Exact]],
    mean_q: Sequence[Exact],
    cov_q: Sequence[Sequence[Exact]],
) -> Statement:
    """Two Gaussians given outright; what is proved is about these laws, not about a run."""
    return GIVEN.conclude(
        "law",
        formulas=(),
        values={
            "mean_P": column(mean_p),
            "covariance_P": matrix(cov_p),
            "mean_Q": column(mean_q),
            "covariance_Q": matrix(cov_q),
        },
        exact={"observer": "final"},
        premises=(Premise("laws", "P and Q are the Gaussians given", basis="assumed"),),
        subject=object(),
    )


def whiten(law: Statement, direction: str) -> Statement:
    """E2: in coordinates where the second law is N(0, I), the first is N(nu e_1, I + T), nearly.

    T is symmetric tridiagonal with diagonal a and squared off-diagonal b2.  The reflections use exact
    vectors, so the change of coordinates is exactly orthogonal; what is dropped is bounded: the
    spectral norm of the dropped matrix by rho, of the dropped mean by tau.
    Premise checked: both covariances are positive definite.
    """
    expect(law, "law")
    first, second = ("P", "Q") if direction == "P|Q" else ("Q", "P")
    factor = cholesky(law.values[f"covariance_{second}"])
    if factor is None or cholesky(law.values[f"covariance_{first}"]) is None:
        raise Undecided("E2: a covariance could not be shown positive definite")
    n = len(factor)
    lower_factor = arb_mat([[*row, *[arb(0)] * (n - len(row))] for row in factor])
    gap = law.values[f"covariance_{first}"] - law.values[f"covariance_{second}"]
    excess = lower_factor.solve(lower_factor.solve(gap).transpose())
    excess = (excess + excess.transpose()) / 2
    shift = lower_factor.solve(law.values[f"mean_{first}"] - law.values[f"mean_{second}"])
    for k in range(-1, n - 2):
        source = [shift[i, 0] for i in range(n)] if k < 0 else [excess[i, k] for i in range(n)]
        normal = _reflection_normal(source, k + 1)
        if normal is not None:
            excess, shift = _reflect(excess, shift, normal)
    diagonal = tuple(excess[i, i] for i in range(n))
    off = tuple(excess[i + 1, i] for i in range(n - 1))
    dropped = [excess[i, j] for i in range(n) for j in range(n) if abs(i - j) > 1]
    rest = [shift[i, 0] for i in range(1, n)]
    return WHITEN.conclude(
        "pair",
        formulas=(),
        values={
            "diagonal": diagonal,
            "off_diagonal_squared": tuple(y * y for y in off),
            "nu": shift[0, 0],
            "rho": _norm_bound(dropped),
            "tau": _norm_bound(rest),
        },
        exact={"direction": direction, "observer": law.exact["observer"], "dimension": n},
        premises=(Premise("covariances", "both covariances are positive definite"),),
        uses=(law,),
        subject=law.subject,
    )


def truncate(pair: Statement, keep: int) -> Statement:
    """E2 with only the leading ``keep`` rows of T; the norm of what is dropped joins rho."""
    expect(pair, "pair")
    diagonal, off = pair.values["diagonal"], pair.values["off_diagonal_squared"]
    if keep >= len(diagonal):
        return pair
    dropped = norm_squared(y.abs_upper() for y in diagonal[keep:])
    dropped += sum((2 * y.abs_upper() for y in off[keep - 1 :]), arb(0))
    return WHITEN.conclude(
        "pair",
        formulas=(),
        values={
            **pair.values,
            "diagonal": diagonal[:keep],
            "off_diagonal_squared": off[: keep - 1],
            "rho": (pair.ball("rho") + dropped.sqrt()).upper(),
        },
        exact=pair.exact,
        uses=(pair,),
        subject=pair.subject,
    )


class RenyiFunction:
    """log M(s) = log E_P[(p/q)^s] of a whitened pair, on a strip low <= Re s <= high.

    On the strip I - Re(s) T >= gamma I, so every pivot of I - sT has a positive real part, its
    principal logarithms sum to the analytic log det, and dropped terms change log M by at most e(s).
    """

    def __init__(self, pair: Statement, low: arb, high: arb) -> None:
        expect(pair, "pair")
        self.pair = pair
        self.low, self.high = low, high
        self.gamma = _margin(pair, (low, high))
        self.constants = {
            nu: pair.ball("nu"),
            rho: pair.ball("rho"),
            tau: pair.ball("tau"),
            d: arb(pair.exact["dimension"]),
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
        diagonal, off = self.pair.values["diagonal"], self.pair.values["off_diagonal_squared"]
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
    point = ball(alpha - 1)
    if _certainly_indefinite(pair, point):
        value = arb("inf")
    else:
        log_m = RenyiFunction(pair, point.lower(), point.upper())(acb(point)).real
        value = evaluate(RENYI, {sp.Symbol("log M"): log_m, order: ball(alpha)})
        if not value.is_finite():
            raise Undecided("E3: the divergence could not be enclosed")
    return EXACT_RENYI.conclude(
        "renyi",
        formulas=(PIVOT, LOG_M, ERROR, RENYI),
        values={"r": value},
        exact={"order": alpha, "exactness": "exact", **_scope(pair)},
        uses=(pair,),
        subject=pair.subject,
    )


def hockey_stick(
    pair: Statement,
    epsilon: Fraction,
    line: Fraction,
    width: Fraction,
    height: Fraction,
    bits: int,
    accuracy: int,
) -> Statement:
    """C6: delta(epsilon), exactly, by the integral of M(s) e^{-s eps}/(s(s+1)) along Re s = ``line``.

    The part beyond |Im s| = ``height`` is at most |M(c + iB) e^{-c eps}| / (pi B), because |M|
    decreases along the line for Gaussian pairs.  ``width`` is half the strip the integrand is
    evaluated on; ``bits`` the working precision, ``accuracy`` the relative goal 2^-accuracy of the
    quadrature.  Any positive values are sound.
    """
    with precision(bits):
        center, half, tall = ball(line), ball(width), ball(height)
        log_m = RenyiFunction(pair, (center - half).lower(), (center + half).upper())
        peak = log_m(acb(center)).real
        if not peak.is_finite():
            raise Undecided("C6: the Rényi function could not be enclosed on the line")
        anchor = peak.mid()
        integrand = compile_formula(INTEGRAND)
        level = ball(epsilon)
        scale = (anchor - center * level).exp()

        def along(t: acb, _analytic: bool) -> acb:
            try:
                point = center + acb(0, 1) * t
                value = log_m(point) - anchor + center * level
                return acb(integrand({sp.Symbol("log M(s)"): value, s: point, eps: level}))
            except Exception:  # an exception inside the quadrature would end the process
                return acb("nan")

        integrand_size = 1 / (center * (center + 1) * center.max(arb(1)))
        goal = arb(2) ** -accuracy
        body = acb.integral(
            along, 0, acb(tall), rel_tol=goal, abs_tol=goal * integrand_size, use_heap=True
        )
        end = log_m(acb(center, tall)).real
        rest = (end - anchor).exp().abs_upper() / (arb.pi() * tall)
        value = scale * (body.real / arb.pi() + rest * arb(0, 1))
        if not value.is_finite():
            raise Undecided("C6: the integral could not be enclosed")
        if not value >= 0:
            value = value.nonnegative_part()
    return C6.conclude(
        "hockey-stick",
        formulas=(PIVOT, LOG_M, ERROR, DELTA),
        values={"delta": value, "line": center, "height": tall},
        exact={"epsilon": epsilon, "exactness": "exact", **_scope(pair)},
        uses=(pair,),
        subject=pair.subject,
    )


def hockey_stick_line(pair: Statement, epsilon: Fraction) -> Statement:
    """C6 in one dimension: log p/q is a quadratic, so delta = P(S) - e^eps Q(S) for the interval, or
    its complement, on which it exceeds epsilon.  Needs variances certainly different."""
    expect(pair, "pair")
    if len(pair.values["diagonal"]) != 1:
        raise NotApplicable(C6_LINE, "the pair is not one-dimensional")
    excess, mean = pair.values["diagonal"][0], pair.ball("nu")
    if not (excess > 0 or excess < 0):
        raise Undecided("C6-1d: the variances could not be told apart")
    env = {lam: excess, v: mean, eps: ball(epsilon)}
    coefficients = {
        key: evaluate(f, env) for key, f in ((quad, ROOT_QUAD), (lin, ROOT_LINEAR), (const, ROOT_CONST))
    }
    gap = evaluate(DISCRIMINANT, coefficients)
    if gap < 0:
        value = 1 - env[eps].exp() if excess > 0 else arb(0)
    elif gap >= 0:
        ends = [
            (-coefficients[lin] + sign * gap.sqrt()) / (2 * coefficients[quad])
            for sign in ((-1, 1) if excess > 0 else (1, -1))
        ]
        p_left, p_right = (_below((end - mean) / (1 + excess).sqrt()) for end in ends)
        q_left, q_right = (_below(end) for end in ends)
        if excess > 0:
            inside_p, inside_q = p_left[0] + p_right[1], q_left[0] + q_right[1]
        else:
            inside_p, inside_q = p_right[0] - p_left[0], q_right[0] - q_left[0]
        value = inside_p - env[eps].exp() * inside_q
    else:
        raise Undecided("C6-1d: the sign of the discriminant is not certain")
    return C6_LINE.conclude(
        "hockey-stick",
        formulas=(
            sp.Eq(quad, ROOT_QUAD),
            sp.Eq(lin, ROOT_LINEAR),
            sp.Eq(const, ROOT_CONST),
            sp.Eq(disc, DISCRIMINANT),
        ),
        values={"delta": value},
        exact={"epsilon": epsilon, "exactness": "exact", **_scope(pair)},
        uses=(pair,),
        subject=pair.subject,
    )


def _norm_bound(entries: Sequence[arb]) -> arb:
    return norm_squared(entry.abs_upper() for entry in entries).sqrt().upper()


def _below(end: arb) -> tuple[arb, arb]:
    return evaluate(BELOW, {x: end}), evaluate(BELOW, {x: -end})


def _phase(run: Run, world: World, phase: Phase) -> AffineMap:
    a_map, drift = affine_step(run, world, phase.step_size)
    power = AffineMap(a_map, drift, _scaled_identity(run.d, phase.noise_variance))
    total: AffineMap | None = None
    steps = phase.steps
    while steps:
        if steps & 1:
            total = power if total is None else _compose(power, total)
        steps >>= 1
        if steps:
            power = _compose(power, power)
    if total is None:
        zero = _scaled_identity(run.d, Fraction(0))
        return AffineMap(identity(run.d), column([0] * run.d), zero)
    return total


def _compose(later: AffineMap, earlier: AffineMap) -> AffineMap:
    values = {
        A1: earlier.linear,
        A2: later.linear,
        M1: earlier.shift,
        M2: later.shift,
        S1: earlier.noise,
        S2: later.noise,
    }
    return AffineMap(evaluate(LINEAR, values), evaluate(SHIFT, values), evaluate(NOISE, values))


def _scaled_identity(size: int, scale: Fraction) -> arb_mat:
    return identity(size) * ball(scale)


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


def _tridiagonal_pivots(pair: Statement, point: arb, level: arb) -> list[arb]:
    """Pivots of level I - point T, from the last row up."""
    diagonal, off = pair.values["diagonal"], pair.values["off_diagonal_squared"]
    pivots: list[arb] = []
    for k in reversed(range(len(diagonal))):
        step = level - point * diagonal[k]
        pivots.append(step - point * point * off[k] / pivots[-1] if pivots else step)
    return pivots


def _margin(pair: Statement, points: Sequence[arb]) -> arb:
    """A gamma > 0 with I - x T >= gamma I at every point (hence between them)."""
    for j in range(1, 400):
        slack = arb(2) ** -j
        levels = [_tridiagonal_pivots(pair, y, 1 - slack) for y in points]
        if all(all(value > 0 for value in pivots) for pivots in levels):
            return slack
    raise Undecided("the order lies outside the domain of the Rényi function, or too near its edge")


def _certainly_indefinite(pair: Statement, point: arb) -> bool:
    """Whether I - point (T + dropped part) certainly has a negative eigenvalue."""
    expect(pair, "pair")
    pivots = _tridiagonal_pivots(pair, point, 1 + point * pair.ball("rho"))
    for value in pivots:
        if value < 0:
            return True
        if not value > 0:
            return False
    return False


def _scope(pair: Statement) -> dict[str, Any]:
    return {"directions": (pair.exact["direction"],), "observer": pair.exact["observer"]}
