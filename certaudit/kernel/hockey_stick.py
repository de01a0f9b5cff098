"""The exact tier (sections 6 and 7): the hockey-stick divergence delta(epsilon) of a pair."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from flint import acb, arb

from certaudit.kernel.balls import ball, precision
from certaudit.kernel.expr import compile_formula, equation, evaluate
from certaudit.kernel.pair import ERROR, LOG_M, PIVOT, RenyiFunction, s, scope, whitened
from certaudit.kernel.statement import NotApplicable, Rule, Statement, Undecided

C6 = Rule("C6", "Exact hockey-stick divergence from the Rényi function", "section 6; ALG22")
C6_LINE = Rule("C6-1d", "Exact hockey-stick divergence in one dimension", "Neyman–Pearson lemma")
HALF_SPACE = Rule("C6-event", "The hockey-stick divergence is at least that of one event", "definition")
c, eps, x = sp.symbols("c epsilon x")

INTEGRAND = sp.exp(sp.Symbol("log M(s)") - s * eps) / (s * (s + 1))
DELTA = equation(
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
EVENT = equation(
    sp.Symbol("delta"),
    sp.erfc((x - v) / sp.sqrt(2 * (1 + lam))) / 2 - sp.exp(eps) * sp.erfc(x / sp.sqrt(2)) / 2,
)
LINE = (
    equation(quad, ROOT_QUAD),
    equation(lin, ROOT_LINEAR),
    equation(const, ROOT_CONST),
    equation(disc, DISCRIMINANT),
)
BELOW = sp.erfc(-x / sp.sqrt(2)) / 2


def hockey_stick(
    pair: Statement,
    epsilon: Fraction,
    line: Fraction,
    width: Fraction,
    height: Fraction,
    bits: int,
    accuracy: int,
    keep: int,
) -> Statement:
    """C6: delta(epsilon), exactly, by the integral of M(s) e^{-s eps}/(s(s+1)) along Re s = ``line``.

    The part beyond |Im s| = ``height`` is at most |M(c + iB) e^{-c eps}| / (pi B), because |M|
    decreases along the line for Gaussian pairs.  ``width`` is half the strip the integrand is
    evaluated on; ``bits`` the working precision, ``accuracy`` the relative goal 2^-accuracy of the
    quadrature; ``keep`` the rows of T worth computing with.  Any values with 0 < width < line are sound.
    """
    _require_level(epsilon)
    if not (line > width > 0 and height > 0 and keep >= 1):
        raise Undecided("C6: needs 0 < width < line, height > 0 and keep >= 1")
    form = whitened(pair).truncated(keep)
    with precision(bits):
        center, half, tall = ball(line), ball(width), ball(height)
        log_m = RenyiFunction(form, (center - half).lower(), (center + half).upper())
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
        values={"delta": value},
        exact={"epsilon": epsilon, "exactness": "exact", **scope(pair)},
        uses=(pair,),
        subject=pair.subject,
    )


def hockey_stick_line(pair: Statement, epsilon: Fraction) -> Statement:
    """C6 in one dimension: log p/q is a quadratic, so delta = P(S) - e^eps Q(S) for the interval, or
    its complement, on which it exceeds epsilon.  Needs variances certainly different."""
    _require_level(epsilon)
    form = whitened(pair)
    if len(form.diagonal) != 1:
        raise NotApplicable(C6_LINE, "the pair is not one-dimensional")
    return C6_LINE.conclude(
        "hockey-stick",
        formulas=LINE,
        values={"delta": _line(form.diagonal[0], form.nu, epsilon)},
        exact={"epsilon": epsilon, "exactness": "exact", **scope(pair)},
        uses=(pair,),
        subject=pair.subject,
    )


def half_space(pair: Statement, epsilon: Fraction, threshold: Fraction) -> Statement:
    """A lower bound on delta(epsilon): P(S) - e^eps Q(S) for the half-space S beyond ``threshold`` along
    nu, where the laws are N(|nu|, 1 + e) and N(0, 1).  Any threshold is sound."""
    _require_level(epsilon)
    form = whitened(pair)
    excess = form.diagonal[0] + form.rho * arb(0, 1)
    env = {lam: excess, v: abs(form.nu), eps: ball(epsilon), x: ball(threshold)}
    return HALF_SPACE.conclude(
        "hockey-stick",
        formulas=(EVENT,),
        values={"delta": evaluate(EVENT, env)},
        exact={"epsilon": epsilon, "exactness": "lower", "threshold": threshold, **scope(pair)},
        uses=(pair,),
        subject=pair.subject,
    )


def _line(excess: arb, mean: arb, epsilon: Fraction) -> arb:
    """delta(epsilon) of N(mean, 1 + excess) against N(0, 1)."""
    if not (excess > 0 or excess < 0):
        raise Undecided("C6-1d: the variances could not be told apart")
    env = {lam: excess, v: mean, eps: ball(epsilon)}
    coefficients = {
        key: evaluate(f, env) for key, f in ((quad, ROOT_QUAD), (lin, ROOT_LINEAR), (const, ROOT_CONST))
    }
    gap = evaluate(DISCRIMINANT, coefficients)
    if gap < 0:
        value: arb = 1 - env[eps].exp() if excess > 0 else arb(0)
        return value
    if not gap >= 0:
        raise Undecided("C6-1d: the sign of the discriminant is not certain")
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
    return inside_p - env[eps].exp() * inside_q


def _require_level(epsilon: Fraction) -> None:
    if epsilon < 0:
        raise TypeError("a hockey-stick statement is about epsilon from 0 up")


def _below(end: arb) -> tuple[arb, arb]:
    return evaluate(BELOW, {x: end}), evaluate(BELOW, {x: -end})
