"""The pooled minimum of the contractive iteration (I1) and the geometric sums of its blocks."""

from __future__ import annotations

import sympy as sp

from certaudit.kernel import iteration as k
from certaudit.lemmas.lemma import Lemma, Obligation

u1, u2, w1, w2, w3, t, C = sp.symbols("u_1 u_2 w_1 w_2 w_3 t C", positive=True)
x1, x2, x3, theta, theta1, theta2, theta3 = sp.symbols(
    "x_1 x_2 x_3 theta theta_1 theta_2 theta_3", real=True
)
c, s, sigma2, z = sp.symbols("c s sigma^2 z", positive=True)
n, i = sp.Symbol("n", integer=True, positive=True), sp.Symbol("i", integer=True, positive=True)
total = sp.Symbol("U", positive=True)


def _energy(u: sp.Expr, w: sp.Expr) -> sp.Expr:
    return k.ENERGY.subs({k.U: u, k.W: w}, simultaneous=True)


def _unrolled() -> sp.Expr:
    """z_3 of z' = c z + s - a, minus the sum of C_t (s_t - a_t) plus C_0 c_0 z_0."""
    rates, shifts, hidden = sp.symbols("c_0:3"), sp.symbols("s_0:3"), sp.symbols("a_0:3")
    distance = z
    for rate, shift, hide in zip(rates, shifts, hidden, strict=True):
        distance = rate * distance + shift - hide
    later = [rates[1] * rates[2], rates[2], 1]
    sums = sp.Add(*(a * (b - d) for a, b, d in zip(later, shifts, hidden, strict=True)))
    return distance - (sums + later[0] * rates[0] * z)


def _lagrange(weights: tuple[sp.Symbol, ...]) -> sp.Expr:
    """Least sum x^2/w under sum x = U, by Lagrange's equations, minus the energy of one block."""
    xs = sp.symbols(f"x_1:{len(weights) + 1}", real=True)
    multiplier = sp.Symbol("kappa", real=True)
    objective = sp.Add(*(x**2 / w for x, w in zip(xs, weights, strict=True)))
    lagrangian = objective - multiplier * (sp.Add(*xs) - total)
    (found,) = sp.solve(
        [sp.diff(lagrangian, v) for v in (*xs, multiplier)], [*xs, multiplier], dict=True
    )
    return objective.subs(found) - _energy(total, sp.Add(*weights))


def _kkt_violating() -> sp.Expr:
    """With x_1 <= u_1 slack (u_1/w_1 >= u_2/w_2) the stationary split of u_1 + u_2 leaves x_1 feasible:
    u_1 - x_1, with u_1 = w_1 (u_2/w_2 + t)."""
    stationary = w1 * (u1 + u2) / (w1 + w2)
    return (u1 - stationary).subs(u1, w1 * (u2 / w2 + t))


def _kkt_ordered() -> sp.Expr:
    """Moving t > 0 from step 1 to step 2 where u_2/w_2 = u_1/w_1 + theta: the cost of the move."""
    change = _energy(u1 - t, w1) + _energy(u2 + t, w2) - _energy(u1, w1) - _energy(u2, w2)
    return change - (t**2 * (1 / w1 + 1 / w2) + 2 * t * (u2 / w2 - u1 / w1))


def _abel() -> sp.Expr:
    """sum theta_t x_t = theta_3 X_3 - sum (theta_{t+1} - theta_t) X_t with X the partial sums."""
    parts = (x1, x1 + x2, x1 + x2 + x3)
    summed = theta3 * parts[2] - (theta2 - theta1) * parts[0] - (theta3 - theta2) * parts[1]
    return theta1 * x1 + theta2 * x2 + theta3 * x3 - summed


def _geometric(equation: sp.Eq, rate: sp.Expr) -> sp.Expr:
    closed = equation.rhs.subs({k.c_n: c**n, k.c: c}, simultaneous=True)
    return closed.subs(n, n + 1) - (1 + rate * closed)


def _first(equation: sp.Eq) -> sp.Expr:
    return equation.rhs.subs({k.c_n: c, k.c: c}, simultaneous=True) - 1


def _block(formula: sp.Eq, terms: list[sp.Expr]) -> sp.Expr:
    """A block's u or w for three equal steps, minus its terms added."""
    sums = {
        k.g1: k.SUM.rhs.subs({k.c_n: c**3, k.c: c}, simultaneous=True),
        k.g2: k.SQUARES.rhs.subs({k.c_n: c**3, k.c: c}, simultaneous=True),
    }
    values = {**sums, k.C: C, k.s: s, k.sigma2: sigma2, k.c_n: c**3, k.z: z}
    return formula.rhs.subs(values, simultaneous=True) - sp.Add(*terms)


def _two_pools() -> sp.Expr:
    total_energy = k.POOLED.rhs.subs(sp.Symbol("b"), 2).doit()
    return total_energy - sp.Add(*(_energy(sp.Indexed("U", j), sp.Indexed("W", j)) for j in (1, 2)))


RATES = [c**2, c, sp.Integer(1)]


LEMMAS = (
    Lemma(
        "shifted-iteration",
        ("I1",),
        "Move the coupled runs together by a_t at step t, which the noise hides at a cost of "
        "(a_t/sigma_t)^2 in mu^2: their distance bound follows z_{t+1} = c_t z_t + s_t - a_t, and z_N"
        " = 0 means sum C_t a_t = sum C_t s_t + C_0 c_0 z_0 with C_t the product of the later c.",
        sp.Eq(sp.Symbol("z_{t+1}"), k.c * k.z + k.s - sp.Symbol("a_t")),
        (Obligation("three steps unrolled", _unrolled),),
    ),
    Lemma(
        "pooled-block",
        ("I1",),
        "With x_t = C_t a_t the cost is sum x_t^2/w_t, w_t = C_t^2 sigma_t^2, and its least value for"
        " a given sum U of the x is U^2/W, W = sum w.",
        sp.Eq(k.mu**2, k.ENERGY),
        (
            Obligation("(a/sigma)^2 = x^2/w", lambda: t**2 / sigma2 - (C * t) ** 2 / (C**2 * sigma2)),
            Obligation("two steps, by Lagrange's equations", lambda: _lagrange((w1, w2))),
            Obligation("three steps, by Lagrange's equations", lambda: _lagrange((w1, w2, w3))),
            Obligation(
                "it is the least: the excess of two steps is a square",
                lambda: (
                    x1**2 / w1
                    + x2**2 / w2
                    - _energy(x1 + x2, w1 + w2)
                    - (x1 * w2 - x2 * w1) ** 2 / (w1 * w2 * (w1 + w2))
                ),
            ),
        ),
    ),
    Lemma(
        "pool-violators",
        ("I1",),
        "Distances stay >= 0 when every partial sum of x is at most that of u.  Two neighbours with "
        "u_1/w_1 >= u_2/w_2 are pooled, (u_1 + u_2)^2/(w_1 + w_2); with u_1/w_1 < u_2/w_2 they stay "
        "apart.  So the minimum is the energy of the greatest convex minorant of (sum w, sum u).",
        k.POOLED,
        (
            Obligation("pooled, x_1 <= u_1 still holds", lambda: _kkt_violating() > 0),
            Obligation(
                "pooling lowers the energy: u_1^2/w_1 + u_2^2/w_2 - pooled is a square",
                lambda: (
                    _energy(u1, w1)
                    + _energy(u2, w2)
                    - _energy(u1 + u2, w1 + w2)
                    - (u1 * w2 - u2 * w1) ** 2 / (w1 * w2 * (w1 + w2))
                ),
            ),
            Obligation("kept apart: the cost of moving t", _kkt_ordered),
            Obligation(
                "which is positive in order, u_2 = w_2 (u_1/w_1 + theta), theta > 0",
                lambda: (
                    (t**2 * (1 / w1 + 1 / w2) + 2 * t * (u2 / w2 - u1 / w1)).subs(u2, w2 * (u1 / w1 + z))
                    > 0
                ),
            ),
            Obligation(
                "lower bound of any x: x^2/w - (2 theta x - theta^2 w) is a square",
                lambda: x1**2 / w1 - (2 * theta * x1 - theta**2 * w1) - (x1 - theta * w1) ** 2 / w1,
            ),
            Obligation(
                "with theta growing from block to block the bound is the pooled value: Abel's sum", _abel
            ),
            Obligation("the sum over two pools", _two_pools),
            Obligation(
                "2 theta U - theta^2 W = U^2/W at theta = U/W",
                lambda: (2 * theta * k.U - theta**2 * k.W).subs(theta, k.U / k.W) - k.ENERGY,
            ),
        ),
    ),
    Lemma(
        "geometric-sums",
        ("I1",),
        "n equal steps: g_1 = 1 + c + ... + c^(n-1) = (1 - c^n)/(1 - c), g_2 = 1 + c^2 + ... = (1 - "
        "c^(2n))/(1 - c^2).",
        sp.Tuple(k.SUM, k.SQUARES),
        (
            Obligation("g_1: closed form minus recurrence", lambda: _geometric(k.SUM, c)),
            Obligation("g_2: closed form minus recurrence", lambda: _geometric(k.SQUARES, c**2)),
            Obligation("g_1 of one step", lambda: _first(k.SUM)),
            Obligation("g_2 of one step", lambda: _first(k.SQUARES)),
        ),
    ),
    Lemma(
        "block-of-equal-steps",
        ("I1",),
        "Within n equal steps u_t/w_t = s/(C_t sigma^2), and C_{t+1} = C_t/c, so u_t/w_t falls by the"
        " factor c <= 1: they are one pool with u = C s g_1 (the first also C c^n z_0) and w = C^2 "
        "sigma^2 g_2.",
        sp.Tuple(k.SHIFT, k.START, k.NOISE),
        (
            Obligation(
                "ratio of neighbours is c",
                lambda: (s / (C / c * sigma2)) / (s / (C * sigma2)) - c,
            ),
            Obligation(
                "it falls: 1 - c > 0 for c = 1/(1 + t)", lambda: (1 - c).subs(c, 1 / (1 + t)) > 0
            ),
            Obligation("u of three steps", lambda: _block(k.SHIFT, [C * rate * s for rate in RATES])),
            Obligation(
                "u of the first block, with z_0",
                lambda: _block(k.START, [*(C * rate * s for rate in RATES), C * c**2 * c * z]),
            ),
            Obligation(
                "w of three steps", lambda: _block(k.NOISE, [(C * rate) ** 2 * sigma2 for rate in RATES])
            ),
        ),
    ),
    Lemma(
        "pooling-rounds-up",
        ("I1",),
        "U^2/W grows with U and falls with W, and the premises hold for larger c, s and smaller "
        "sigma, so rounding u up and w down bounds mu from above.",
        sp.Ge(sp.Derivative(k.ENERGY, k.U), 0),
        (
            Obligation("grows with U", lambda: sp.diff(_energy(total, w1), total) > 0),
            Obligation("falls with W", lambda: sp.diff(_energy(total, w1), w1) < 0),
        ),
    ),
)
