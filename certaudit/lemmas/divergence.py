"""Divergences of Gaussians: R1, I2, C5, and the exact tier E2, E3, C6."""

from __future__ import annotations

import sympy as sp

from certaudit.kernel import conversion as cv
from certaudit.kernel import hockey_stick as hs
from certaudit.kernel import iteration as it
from certaudit.kernel import pair as pr
from certaudit.lemmas.lemma import Lemma, Obligation

x = sp.Symbol("x", real=True)
alpha, mu, eps = cv.alpha, cv.mu, cv.eps
t, s = sp.symbols("t s", positive=True)
excess = sp.Symbol("lambda", positive=True)
v, e = sp.symbols("v epsilon", real=True)
mu1, mu2 = sp.symbols("mu_1 mu_2", positive=True)
center = sp.Symbol("c", positive=True)
POINT = {hs.lam: excess, hs.v: v, hs.eps: e}


def density(at: sp.Expr, mean: sp.Expr, variance: sp.Expr) -> sp.Expr:
    """The Gaussian density at a point."""
    return sp.exp(-((at - mean) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)


def _above(threshold: sp.Expr, mean: sp.Expr, variance: sp.Expr) -> sp.Expr:
    """P(x > threshold), by integration."""
    return sp.integrate(density(x, mean, variance), (x, threshold, sp.oo)).rewrite(sp.erf)


def _renyi_by_integration() -> sp.Expr:
    integrand = sp.exp(-alpha * (x - mu) ** 2 / 2 - (1 - alpha) * x**2 / 2) / sp.sqrt(2 * sp.pi)
    return (
        sp.log(sp.simplify(sp.integrate(sp.expand(integrand), (x, -sp.oo, sp.oo)))) / (alpha - 1)
        - cv.RENYI.rhs
    )


def _threshold_event() -> sp.Expr:
    """P(S) - e^eps Q(S), S = {x > eps/mu + mu/2}, P = N(mu, 1), Q = N(0, 1), minus the formula."""
    edge = eps / mu + mu / 2
    value = _above(edge, mu, sp.Integer(1)) - sp.exp(eps) * _above(edge, sp.Integer(0), sp.Integer(1))
    return sp.simplify(value - cv.GAUSSIAN.rhs.rewrite(sp.erf))


def _slope_in_epsilon() -> sp.Expr:
    claimed = -sp.exp(eps) * sp.erfc((eps / mu + mu / 2) / sp.sqrt(2)) / 2
    return sp.diff(cv.GAUSSIAN.rhs, eps) - claimed


def _slope_in_mu() -> sp.Expr:
    return sp.diff(cv.GAUSSIAN.rhs, mu) - density(eps / mu - mu / 2, sp.Integer(0), sp.Integer(1))


def _log_ratio() -> sp.Expr:
    """log p/q of N(v, 1 + lambda) against N(0, 1)."""
    return -((x - v) ** 2) / (2 * (1 + excess)) - sp.log(1 + excess) / 2 + x**2 / 2


def _quadratic() -> sp.Expr:
    coefficients = [f.subs(POINT) for f in (hs.ROOT_QUAD, hs.ROOT_LINEAR, hs.ROOT_CONST)]
    return _log_ratio() - e - (coefficients[0] * x**2 + coefficients[1] * x + coefficients[2])


def _half_space_event() -> sp.Expr:
    edge = sp.Symbol("x_0", real=True)
    value = _above(edge, v, 1 + excess) - sp.exp(e) * _above(edge, sp.Integer(0), sp.Integer(1))
    return sp.simplify(value - hs.EVENT.rhs.subs({**POINT, hs.x: edge}).rewrite(sp.erf))


def _one_direction() -> dict[sp.Symbol, sp.Expr]:
    """Values of LOG_M's symbols for N(v, 1 + lambda) against N(0, 1)."""
    pivot = pr.PIVOT.rhs.subs({pr.a: excess, pr.b2: 0})
    return {
        pr.pivot: pivot,
        pr.ell: sp.log(pivot),
        pr.ell1: sp.log(pivot.subs(pr.s, -1)),
        pr.nu: v,
    }


def _moment_exponent() -> sp.Expr:
    """(1 + s) log p - s log q completed to a square: what is left outside it must be LOG_M."""
    point = pr.s
    log_p = -((x - v) ** 2) / (2 * (1 + excess)) - sp.log(1 + excess) / 2
    log_q = -(x**2) / 2
    width = (1 + excess) / (1 - point * excess)
    middle = v * (1 + point) / (1 - point * excess)
    square = -((x - middle) ** 2) / (2 * width) - (sp.log(1 + excess) - sp.log(1 - point * excess)) / 2
    values = _one_direction()
    log_m = pr.LOG_M.rhs.subs(values)
    return sp.simplify((1 + point) * log_p - point * log_q - square - log_m)


def _renyi_of_variances() -> sp.Expr:
    """The closed form of D_alpha in one direction minus E3's formula at s = alpha - 1."""
    variance = alpha + (1 - alpha) * (1 + excess)
    closed = alpha * v**2 / (2 * variance) - (sp.log(variance) - (1 - alpha) * sp.log(1 + excess)) / (
        2 * (alpha - 1)
    )
    log_m = pr.LOG_M.rhs.subs(_one_direction()).subs(pr.s, alpha - 1)
    formula = pr.RENYI.rhs.subs({sp.Symbol("log M"): log_m, pr.order: alpha})
    return sp.expand(closed - formula).replace(sp.log, lambda argument: sp.log(sp.expand(argument)))


def _tridiagonal() -> tuple[sp.Matrix, list[sp.Expr]]:
    """I - s T for 3 x 3, and the kernel's pivots from the last row up."""
    diagonal, off = sp.symbols("t_1:4"), sp.symbols("b_1:3")
    matrix = sp.eye(3) - pr.s * sp.Matrix(
        [[diagonal[0], off[0], 0], [off[0], diagonal[1], off[1]], [0, off[1], diagonal[2]]]
    )
    pivots = [1 - pr.s * diagonal[2]]
    for i in (1, 0):
        pivots.append(pr.PIVOT.rhs.subs({pr.a: diagonal[i], pr.b2: off[i] ** 2, pr.p: pivots[-1]}))
    return matrix, pivots


def _determinant() -> sp.Expr:
    matrix, pivots = _tridiagonal()
    return matrix.det() - sp.Mul(*pivots)


def _first_entry() -> sp.Expr:
    matrix, pivots = _tridiagonal()
    return matrix.minor(0, 0) / matrix.det() - 1 / pivots[-1]


def _reflection() -> sp.Matrix:
    normal = sp.Matrix(sp.symbols("n_1:4", real=True))
    reflection = sp.eye(3) - 2 * normal * normal.T / normal.dot(normal)
    return reflection * reflection.T - sp.eye(3)


def _explicit(formula: sp.Eq, values: dict[str, sp.Matrix]) -> sp.Matrix:
    """A matrix formula in 2 dimensions, entry by entry."""
    whole = formula.rhs.subs(formula.rhs.shape[0], 2).doit().as_explicit()
    for name, value in values.items():
        symbol = sp.MatrixSymbol(name, *value.shape)
        whole = whole.subs(dict(zip(symbol, value, strict=True)))
    return sp.Matrix(whole).applyfunc(sp.cancel)


def _whitened_first() -> sp.Matrix:
    """I + E minus L^-1 S_1 L^-T, with S_2 = L L^T."""
    factor = sp.Matrix(2, 2, sp.symbols("L_11 0 L_21 L_22")).subs(sp.Symbol("0"), 0)
    first = sp.Matrix(2, 2, sp.symbols("s_11 s_12 s_12 s_22"))
    excess = _explicit(pr.EXCESS, {"S_1": first, "S_2": factor * factor.T, "L": factor})
    return excess + sp.eye(2) - factor.inv() * first * factor.inv().T


def _whitened_mean() -> sp.Matrix:
    """L nu minus Delta."""
    factor, mean = sp.Matrix(2, 2, sp.symbols("L_1:5")), sp.Matrix(sp.symbols("D_1 D_2"))
    return factor * _explicit(pr.MAHALANOBIS, {"L": factor, "Delta": mean}) - mean


def _assembled_error() -> sp.Expr:
    """The error bound minus its three parts."""
    size = sp.Abs(pr.s)
    resolvent = 1 / (pr.gamma - size * pr.rho) - 1 / pr.gamma
    moved = ((sp.Abs(pr.nu) + pr.tau) ** 2 - sp.Abs(pr.nu) ** 2) / (pr.gamma - size * pr.rho)
    quadratic = sp.Abs(pr.s * (pr.s + 1)) / 2 * (pr.nu**2 * resolvent + moved)
    determinants = -pr.d / 2 * sp.log(1 - size * pr.rho / pr.gamma)
    at_minus_one = -pr.d / 2 * sp.log(1 - pr.rho / sp.Symbol("gamma_1"))
    return sp.simplify(pr.ERROR.rhs - (quadratic + determinants + size * at_minus_one))


def _two_observations() -> sp.Expr:
    steps = sp.Symbol("T")
    total = it.COMPOSED.rhs.subs(steps, 2).doit()
    names = [(sp.Indexed("s", i), sp.Indexed("sigma^2", i)) for i in (1, 2)]
    return total - sum(it.GAUSSIAN_STEP.subs({it.s: a, it.sigma2: b}) for a, b in names)


def _inversion() -> bool:
    """Whether the formula is twice the real part of the integral over the upper half, over 2 pi i."""
    integrand = hs.INTEGRAND.subs(sp.Symbol("log M(s)"), sp.Function("log M")(pr.s))
    half = sp.Integral(integrand, (pr.s, hs.c, hs.c + sp.I * sp.oo)) / (2 * sp.pi * sp.I)
    return bool(sp.expand(hs.DELTA.rhs - 2 * sp.re(half)) == 0)


def _kernel_weight() -> sp.Expr:
    return sp.integrate((1 - sp.exp(-t)) * sp.exp(-s * t), (t, 0, sp.oo)) - 1 / (s * (s + 1))


def _residues() -> sp.Expr:
    point = sp.Symbol("s")
    weight = sp.exp(point * t) / (point * (point + 1))
    return sp.residue(weight, point, 0) + sp.residue(weight, point, -1) - (1 - sp.exp(-t))


def _decay_of_weight() -> sp.Expr:
    """|s (s + 1)|^2 - t^4 on s = c + i t."""
    size = (center**2 + t**2) * ((center + 1) ** 2 + t**2)
    return sp.expand(size - t**4)


LEMMAS = (
    Lemma(
        "renyi-of-shift",
        ("R1", "I1", "R4"),
        "D_alpha(N(mu, 1) | N(0, 1)) = alpha mu^2/2, by completing the square: alpha (x - mu)^2 + (1 "
        "- alpha) x^2 = (x - alpha mu)^2 + alpha (1 - alpha) mu^2.",
        cv.RENYI,
        (
            Obligation(
                "the square completed",
                lambda: (
                    alpha * (x - mu) ** 2
                    + (1 - alpha) * x**2
                    - (x - alpha * mu) ** 2
                    - alpha * (1 - alpha) * mu**2
                ),
            ),
            Obligation(
                "the exponent left, over alpha - 1",
                lambda: -alpha * (1 - alpha) * mu**2 / 2 / (alpha - 1) - cv.RENYI.rhs,
            ),
            Obligation("by integration", _renyi_by_integration),
        ),
    ),
    Lemma(
        "gaussian-dp-adds-in-squares",
        ("I1", "I2"),
        "Pairs N(mu_i, 1) against N(0, 1), observed together, have log-ratio sum of Gaussians: M(s) "
        "multiplies, exp(s (s+1) mu^2/2) with mu^2 = sum mu_i^2; one step of shift s and noise sigma "
        "has mu^2 = s^2/sigma^2.",
        it.COMPOSED,
        (
            Obligation(
                "M(s) of one pair: the square completed",
                lambda: (
                    (1 + s) * (x - mu) ** 2 - s * x**2 - (x - (1 + s) * mu) ** 2 + s * (s + 1) * mu**2
                ),
            ),
            Obligation(
                "exponents add",
                lambda: (
                    s * (s + 1) * mu1**2 / 2
                    + s * (s + 1) * mu2**2 / 2
                    - s * (s + 1) * (mu1**2 + mu2**2) / 2
                ),
            ),
            Obligation("the formula for two releases", _two_observations),
            Obligation(
                "a shift s of noise sigma is mu = s/sigma",
                lambda: it.GAUSSIAN_STEP.subs({it.s: mu1, it.sigma2: mu2**2}) - (mu1 / mu2) ** 2,
            ),
        ),
    ),
    Lemma(
        "gaussian-hockey-stick",
        ("C5",),
        "For N(mu, 1) against N(0, 1) log p/q = mu x - mu^2/2 exceeds eps for x > eps/mu + mu/2 "
        "(Neyman–Pearson), so delta = Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu).",
        cv.GAUSSIAN,
        (
            Obligation(
                "log-ratio of the densities",
                lambda: -((x - mu) ** 2) / 2 + x**2 / 2 - (mu * x - mu**2 / 2),
            ),
            Obligation("it is eps at the threshold", lambda: mu * (eps / mu + mu / 2) - mu**2 / 2 - eps),
            Obligation("P(S) - e^eps Q(S) by integration", _threshold_event),
        ),
    ),
    Lemma(
        "gaussian-hockey-stick-monotone",
        ("C5", "C5-cover"),
        "delta_mu(eps) falls with eps, d delta/d eps = -e^eps Phi(-eps/mu - mu/2) < 0, and grows with"
        " mu, d delta/d mu = phi(eps/mu - mu/2) > 0: rounding mu up bounds delta from above, and the "
        "values at finitely many eps bound those between.",
        cv.GAUSSIAN,
        (
            Obligation("derivative in eps", _slope_in_epsilon),
            Obligation("derivative in mu", _slope_in_mu),
            Obligation(
                "Phi(-y) = erfc(y/sqrt 2)/2 is the integral of a positive density",
                lambda: -sp.diff(sp.erfc(x / sp.sqrt(2)) / 2, x) > 0,
            ),
            Obligation(
                "phi is positive", lambda: density(eps / mu - mu / 2, sp.Integer(0), sp.Integer(1)) > 0
            ),
        ),
    ),
    Lemma(
        "whitening",
        ("E2",),
        "With S_2 = L L^T the change of coordinates L^-1 makes the second law N(0, I) and the first "
        "N(nu, I + E); reflections I - 2 n n^T/|n|^2 are orthogonal, so neither law's shape changes.",
        sp.Tuple(pr.MAHALANOBIS, pr.EXCESS),
        (
            Obligation("I + E is the first covariance (2 x 2)", _whitened_first),
            Obligation("L nu is the difference of the means (2 x 2)", _whitened_mean),
            Obligation("reflections are orthogonal (3 x 3)", _reflection),
        ),
    ),
    Lemma(
        "pivots",
        ("C6", "E3"),
        "For symmetric tridiagonal T the pivots p_k of I - s T from the last row up follow p_k = 1 - "
        "s a_k - s^2 b_k^2/p_{k+1}; their product is the determinant and 1/p_1 the first entry of the"
        " inverse.",
        pr.PIVOT,
        (
            Obligation("determinant (3 x 3)", _determinant),
            Obligation("first entry of the inverse (3 x 3)", _first_entry),
        ),
    ),
    Lemma(
        "moment-function",
        ("C6", "E3"),
        "In each eigen-direction of E, M(s) = E_P (p/q)^s is a Gaussian integral with log M = s (s+1)"
        " nu^2/(2 (1 - s lambda)) - log(1 - s lambda)/2 - s log(1 + lambda)/2; directions add up to "
        "nu.(I - s E)^-1 nu and two log-determinants.",
        pr.LOG_M,
        (Obligation("(1+s) log p - s log q minus a normalized Gaussian exponent", _moment_exponent),),
    ),
    Lemma(
        "dropped-terms",
        ("C6", "E3"),
        "Dropping a matrix of norm rho from T, where I - s T >= gamma I, changes the resolvent by at "
        "most s rho/(gamma (gamma - s rho)) and each of d logarithms by at most -log(1 - s "
        "rho/gamma).",
        pr.ERROR,
        (
            Obligation(
                "resolvents: 1/(gamma - s rho) - 1/gamma",
                lambda: (
                    1 / (pr.gamma - s * pr.rho)
                    - 1 / pr.gamma
                    - s * pr.rho / (pr.gamma * (pr.gamma - s * pr.rho))
                ),
            ),
            Obligation("the parts together", _assembled_error),
            Obligation(
                "log(1 + r) <= -log(1 - r): derivative of the difference, r = 1/(1 + t)",
                lambda: sp.diff(-sp.log(1 - x) - sp.log(1 + x), x).subs(x, 1 / (1 + t)) > 0,
            ),
            Obligation(
                "the mean: (|nu| + tau)^2 - |nu|^2 = tau (2 |nu| + tau)",
                lambda: (mu1 + mu2) ** 2 - mu1**2 - mu2 * (2 * mu1 + mu2),
            ),
        ),
    ),
    Lemma(
        "renyi-of-gaussians",
        ("E3",),
        "D_alpha = log M(alpha - 1)/(alpha - 1); with S_alpha = alpha S_Q + (1 - alpha) S_P it is "
        "alpha Delta.S_alpha^-1 Delta/2 - log(det S_alpha/(det S_P^(1-alpha) det S_Q^alpha))/(2 "
        "(alpha - 1)).",
        pr.RENYI,
        (Obligation("closed form in an eigen-direction of the whitened pair", _renyi_of_variances),),
    ),
    Lemma(
        "hockey-stick-transform",
        ("C6",),
        "delta(eps) = E_P (1 - e^(eps - l))_+ with l = log p/q, and int_0^inf (1 - e^-x) e^(-s x) dx "
        "= 1/(s (s+1)); inverting the transform along Re s = c > 0 gives the integral of M(s) e^(-s "
        "eps)/(s (s+1)).",
        hs.DELTA,
        (
            Obligation("the transform", _kernel_weight),
            Obligation("its inverse: the residues at 0 and -1 give 1 - e^-x", _residues),
            Obligation("conjugate halves of the line: twice the real part of one", _inversion),
        ),
    ),
    Lemma(
        "quadrature-tail",
        ("C6",),
        "On s = c + i t, |s (s + 1)| >= t^2, so beyond |t| = B the integral of |M e^(-s eps)|/|s "
        "(s+1)| is at most the value of |M e^(-c eps)| at B, which decreases, over B; both ends over "
        "2 pi: 1/(pi B).",
        sp.Le(sp.Symbol("|tail|"), sp.Symbol("|M(c + i B) e^(-c epsilon)|") / (sp.pi * sp.Symbol("B"))),
        (
            Obligation("|s (s+1)|^2 - t^4 is positive", lambda: _decay_of_weight() > 0),
            Obligation("int_B^inf dt/t^2 = 1/B", lambda: sp.integrate(1 / t**2, (t, s, sp.oo)) - 1 / s),
            Obligation(
                "|M| falls along the line: |1 - (c + i t) lambda|^2 grows with t",
                lambda: sp.diff((1 - center * excess) ** 2 + t**2 * excess**2, t) > 0,
            ),
        ),
    ),
    Lemma(
        "log-ratio-quadratic",
        ("C6-1d",),
        "For N(v, 1 + lambda) against N(0, 1), log p/q - eps = q_2 x^2 + q_1 x + q_0; by "
        "Neyman–Pearson the best event is where it is positive: outside its roots if lambda > 0, "
        "between them if lambda < 0.",
        sp.Tuple(*hs.LINE),
        (
            Obligation("coefficients", _quadratic),
            Obligation(
                "the roots: q_2 x^2 + q_1 x + q_0 at (-q_1 + sqrt Delta)/(2 q_2)",
                lambda: (hs.quad * x**2 + hs.lin * x + hs.const).subs(
                    x, (-hs.lin + sp.sqrt(hs.DISCRIMINANT)) / (2 * hs.quad)
                ),
            ),
            Obligation(
                "BELOW is the normal distribution function",
                lambda: sp.diff(hs.BELOW, hs.x) - density(hs.x, sp.Integer(0), sp.Integer(1)),
            ),
        ),
    ),
    Lemma(
        "one-event",
        ("C6-event",),
        "delta(eps) is the supremum of P(S) - e^eps Q(S), so any event bounds it from below; for a "
        "half-space both probabilities are normal tails.",
        hs.EVENT,
        (Obligation("P(S) - e^eps Q(S) by integration", _half_space_event),),
    ),
)
