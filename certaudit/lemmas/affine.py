"""Ridge runs: the step is affine, maps compose, residuals and margins along the run."""

from __future__ import annotations

import sympy as sp

from certaudit.kernel import affine as k
from certaudit.kernel import margin as mg
from certaudit.kernel import residual as rs
from certaudit.kernel.law import RELEASED, sigma_out
from certaudit.kernel.sensitivity import INSTANCE, count, eta, forgotten, s
from certaudit.kernel.slope import X
from certaudit.lemmas.lemma import Lemma, Obligation

c, z, v0, m0, b = sp.symbols("c z v_0 m_0 b", positive=True)
n = sp.Symbol("n", integer=True, nonnegative=True)
t = sp.Symbol("t", positive=True)
A3, S3 = (sp.MatrixSymbol(name, k.dimension, k.dimension) for name in ("A_3", "S_3"))
M3 = sp.MatrixSymbol("m_3", k.dimension, 1)
W = sp.MatrixSymbol("w", k.dimension, 1)
MEAN_N = c**n * m0 + b * (1 - c**n) / (1 - c)
PAST_N = (1 - c ** (2 * n)) / (1 - c**2)
COVARIANCE_N = c ** (2 * n) * v0 + rs.sigma2 * PAST_N


def _explicit(formula: sp.Eq) -> sp.Matrix:
    """A kernel formula for 3 rows in 2 dimensions, entry by entry."""
    return sp.Matrix(formula.rhs.subs({k.n_w: 3, k.dimension: 2}).doit().as_explicit())


def _step_is_affine() -> sp.Matrix:
    """w - eta grad F(w), F written out and differentiated, minus (A w + b)."""
    x = sp.MatrixSymbol("X", 3, 2).as_explicit()
    y = sp.MatrixSymbol("y", 3, 1).as_explicit()
    w = sp.Matrix(sp.symbols("w_1 w_2"))
    residuals = x * w - y
    objective = residuals.dot(residuals) / (2 * k.count) + sp.Symbol("lambda") * w.dot(w) / 2
    gradient = sp.Matrix([sp.diff(objective, entry) for entry in w])
    return w - k.eta * gradient - (_explicit(k.STEP_MATRIX) * w + _explicit(k.STEP_DRIFT))


def _compose(
    equation: sp.Eq, later: tuple[sp.MatrixExpr, ...], earlier: tuple[sp.MatrixExpr, ...]
) -> sp.MatrixExpr:
    values = dict(zip((k.A2, k.M2, k.S2), later, strict=True))
    values |= dict(zip((k.A1, k.M1, k.S1), earlier, strict=True))
    return equation.rhs.xreplace(values)


def _associative(equation: sp.Eq) -> sp.MatrixExpr:
    maps = [(k.A1, k.M1, k.S1), (k.A2, k.M2, k.S2), (A3, M3, S3)]
    rules = (k.LINEAR, k.SHIFT, k.NOISE)
    early = tuple(_compose(rule, maps[1], maps[0]) for rule in rules)
    late = tuple(_compose(rule, maps[2], maps[1]) for rule in rules)
    return (
        _compose(equation, maps[2], early).doit().expand()
        - _compose(equation, late, maps[0]).doit().expand()
    )


def _scalar(equation: sp.Eq, later: dict[sp.Basic, sp.Expr]) -> sp.Expr:
    """A composition formula in one dimension."""
    names = (k.A1, k.A2, k.S1, k.S2, k.M1, k.M2)
    one = equation.rhs.subs(k.dimension, 1).as_explicit()[0, 0]
    entries = {name.subs(k.dimension, 1)[0, 0]: later.get(name, sp.Integer(0)) for name in names}
    return one.subs(entries)


def _mean_recurrence() -> sp.Expr:
    return MEAN_N.subs(n, n + 1) - _scalar(k.SHIFT, {k.A2: c, k.M2: b, k.M1: MEAN_N})


def _covariance_recurrence() -> sp.Expr:
    return COVARIANCE_N.subs(n, n + 1) - _scalar(k.NOISE, {k.A2: c, k.S2: rs.sigma2, k.S1: COVARIANCE_N})


def _pull_back() -> sp.Expr:
    """x.(A S A + sigma^2 I) x - ((A x).S (A x) + sigma^2 |x|^2) for symmetric A and S."""
    a11, a12, a22, s11, s12, s22 = sp.symbols("a_11 a_12 a_22 s_11 s_12 s_22")
    x = sp.Matrix(sp.symbols("x_1 x_2"))
    matrix, law = sp.Matrix([[a11, a12], [a12, a22]]), sp.Matrix([[s11, s12], [s12, s22]])
    noise = k.NOISE.rhs.subs(k.dimension, 2).as_explicit()
    values = dict(zip(sp.MatrixSymbol("A_2", 2, 2), matrix, strict=True))
    values |= dict(zip(sp.MatrixSymbol("S_1", 2, 2), law, strict=True))
    values |= dict(zip(sp.MatrixSymbol("S_2", 2, 2), rs.sigma2 * sp.eye(2), strict=True))
    image = matrix * x
    return x.dot(noise.subs(values) * x) - (image.dot(law * image) + rs.sigma2 * x.dot(x))


def _three_steps() -> sp.Expr:
    """VARIANCE against three steps of the covariance, along one eigen-direction."""
    law = v0
    for _ in range(3):
        law = _scalar(k.NOISE, {k.A2: c, k.S2: rs.sigma2, k.S1: law})
    images = [c**i * z for i in range(4)]
    values = {rs.carried: images[3] ** 2 * v0, rs.past: sum(image**2 for image in images[:3])}
    return rs.VARIANCE.rhs.subs(values) - z**2 * law


def _tail_integral() -> sp.Expr:
    r, mean = sp.Symbol("r", real=True), rs.mu
    density = sp.exp(-((r - mean) ** 2) / (2 * t)) / sp.sqrt(2 * sp.pi * t)
    outside = sp.integrate(density, (r, rs.q, sp.oo)) + sp.integrate(density, (r, -sp.oo, -rs.q))
    return sp.simplify(outside.rewrite(sp.erfc) - rs.TAIL.subs(rs.v, t)).rewrite(sp.erf)


def _tail_density() -> sp.Expr:
    """Density of r^2/v at x, from the tail, minus exp(-(x + ell)/2) cosh(sqrt(ell x))/sqrt(2 pi x)."""
    x, root = sp.symbols("x ell^(1/2)", positive=True)
    tail = rs.TAIL.subs({rs.v: 1, rs.q: sp.sqrt(x), rs.mu: root})
    density = sp.exp(-(x + root**2) / 2) * sp.cosh(root * sp.sqrt(x)) / sp.sqrt(2 * sp.pi * x)
    return sp.simplify(-sp.diff(tail, x) - density.rewrite(sp.exp))


def _mixture_term() -> sp.Expr:
    """Term j of the Poisson mixture of chi-squares of 1 + 2 j degrees, over that of cosh, less 1."""
    x, ell = sp.symbols("x ell", positive=True)
    j = sp.Symbol("j", integer=True, nonnegative=True)
    chi = (
        x ** (j - sp.Rational(1, 2))
        * sp.exp(-x / 2)
        / (2 ** (j + sp.Rational(1, 2)) * sp.gamma(j + sp.Rational(1, 2)))
    )
    mixture = sp.exp(-ell / 2) * (ell / 2) ** j / sp.gamma(j + 1) * chi
    cosh = sp.exp(-(x + ell) / 2) / sp.sqrt(2 * sp.pi * x) * (ell * x) ** j / sp.gamma(2 * j + 1)
    return sp.gammasimp(mixture / cosh) - 1


LEMMAS = (
    Lemma(
        "ridge-step",
        ("E1", "residual-law"),
        "With F(w) = (1/N) sum (x_j.w - y_j)^2/2 + lambda |w|^2/2 the step w - eta grad F(w) is A w +"
        " b.",
        sp.Tuple(k.STEP_MATRIX, k.STEP_DRIFT),
        (Obligation("differentiated in 2 dimensions with 3 rows", _step_is_affine),),
    ),
    Lemma(
        "composition",
        ("E1", "residual-law"),
        "w -> A_1 w + N(m_1, S_1) followed by w -> A_2 w + N(m_2, S_2) is w -> A_2 A_1 w + N(A_2 m_1 "
        "+ m_2, A_2 S_1 A_2^T + S_2); composition is associative, so repeated squaring gives the "
        "powers.",
        sp.Tuple(k.LINEAR, k.SHIFT, k.NOISE),
        (
            Obligation(
                "the maps applied one after the other",
                lambda: (k.A2 * (k.A1 * W + k.M1) + k.M2 - (k.LINEAR.rhs * W + k.SHIFT.rhs)).expand(),
            ),
            Obligation("linear parts are associative", lambda: _associative(k.LINEAR)),
            Obligation("shifts are associative", lambda: _associative(k.SHIFT)),
            Obligation("noises are associative", lambda: _associative(k.NOISE)),
            Obligation(
                "output noise is one more map with A = I",
                lambda: (
                    _compose(
                        k.NOISE,
                        (sp.Identity(k.dimension), k.M2, sigma_out * sp.Identity(k.dimension)),
                        (k.A1, k.M1, k.S1),
                    ).doit()
                    - RELEASED.rhs
                ),
            ),
        ),
    ),
    Lemma(
        "closed-form-mean",
        ("E1", "residual-law"),
        "Along an eigenvector of A with eigenvalue c: m_n = c^n m_0 + b (1 - c^n)/(1 - c).",
        sp.Eq(sp.Symbol("m_n"), MEAN_N),
        (
            Obligation("closed form minus recurrence", _mean_recurrence),
            Obligation("start", lambda: MEAN_N.subs(n, 0) - m0),
        ),
    ),
    Lemma(
        "closed-form-covariance",
        ("E1", "residual-law"),
        "Along an eigenvector of A with eigenvalue c: S_n = c^(2n) S_0 + sigma^2 (1 - c^(2n))/(1 - "
        "c^2).",
        sp.Eq(sp.Symbol("S_n"), COVARIANCE_N),
        (
            Obligation("closed form minus recurrence", _covariance_recurrence),
            Obligation("start", lambda: COVARIANCE_N.subs(n, 0) - v0),
        ),
    ),
    Lemma(
        "residual-variance",
        ("residual-law",),
        "Var(x.w_t) is read off x alone: v_t(x) = v_{t-1}(A x) + sigma^2 |x|^2, hence v_t = V_t + "
        "sigma^2 Z_t with V_t = (A^t x).S (A^t x) and Z_t = sum over k < t of |A^k x|^2.",
        rs.VARIANCE,
        (
            Obligation("one step pulled back to x (A and S symmetric, 2 x 2)", _pull_back),
            Obligation("three steps of the recurrence along an eigenvector", _three_steps),
            Obligation(
                "Z_n (1 - c^2) = 1 - c^(2n): closed form minus recurrence",
                lambda: PAST_N.subs(n, n + 1) - (PAST_N + c ** (2 * n)),
            ),
        ),
    ),
    Lemma(
        "residual-tail",
        ("S3",),
        "For r ~ N(mu, v), P(|r| > q) is the sum of two erfc/2; r^2/v is noncentral chi-square with "
        "one degree and noncentrality mu^2/v.  The tail falls with q.",
        sp.Eq(sp.Symbol("p"), rs.TAIL),
        (
            Obligation("integral of the density beyond q and below -q", _tail_integral),
            Obligation("the density of r^2/v, from the derivative of the tail", _tail_density),
            Obligation("is the noncentral chi-square mixture, term by term of cosh", _mixture_term),
            Obligation("q = 0 leaves everything", lambda: rs.TAIL.subs(rs.q, 0).rewrite(sp.erf) - 1),
            Obligation("the tail falls with q", lambda: sp.diff(rs.TAIL.subs(rs.v, t), rs.q) < 0),
        ),
    ),
    Lemma(
        "shift-and-residual",
        ("S3",),
        "One removed point moves the step by s = (eta/N) |x| |r|: the shift exceeds s exactly when "
        "|r| exceeds q = s N/(eta |x|).",
        sp.Eq(rs.q, s * count / (eta * X)),
        (
            Obligation(
                "s at |r| = q", lambda: INSTANCE.rhs.subs(forgotten, X * s * count / (eta * X)) - s
            ),
        ),
    ),
    Lemma(
        "clipping-repair",
        ("S3", "S4"),
        "Clip the removed points' gradients of one world at their bounds: the clipped run differs "
        "from the run with probability at most delta_s, and phi^c = phi' minus a vector of norm at "
        "most s_t, so |phi^c(u) - phi'(v)| <= c' |u - v| + s_t surely.  P(S) <= e^eps Q(S) + delta + "
        "delta_s, and the other direction from the other world's law.",
        sp.Le(
            sp.Symbol("P(S)"),
            sp.exp(sp.Symbol("epsilon")) * sp.Symbol("Q(S)") + sp.Symbol("delta") + sp.Symbol("delta_s"),
        ),
        (
            Obligation(
                "phi^c(u) - phi'(v) = (phi'(u) - phi'(v)) - clipped part",
                lambda: (z - m0) - b - ((z - b) - m0),
            ),
        ),
    ),
    Lemma(
        "spread",
        ("margin-law",),
        "w_t is a function of the noise with squared Lipschitz constant sum of c^(2k) sigma^2: "
        "tau_t^2 = c^(2t) tau_0^2 + sigma^2 (1 - c^(2t))/(1 - c^2) bounds the variance in every "
        "direction.",
        mg.SPREAD,
        (
            Obligation(
                "closed form minus recurrence",
                lambda: (
                    COVARIANCE_N.subs(n, n + 1)
                    - mg.SPREAD.rhs.subs({mg.c: c, mg.tau2: COVARIANCE_N, mg.sigma2: rs.sigma2})
                ),
            ),
        ),
        ("logistic", "huber"),
    ),
    Lemma(
        "bias",
        ("margin-law",),
        "|loss'(a + h) - loss'(a) - loss''(a) h| <= B_3 h^2/2 (Taylor), and E h^2 <= |x_j|^2 tau^2 "
        "for the deviation h of x_j.w_t from its mean, so one step adds at most (eta/N) sum |x_j|^3 "
        "B_3 tau^2/2 to the distance of the mean from the noiseless run.",
        mg.BIAS,
        (
            Obligation(
                "integral form of the remainder: int_0^h (h - r) dr = h^2/2",
                lambda: sp.integrate(t - z, (z, 0, t)) - t**2 / 2,
            ),
            Obligation(
                "|x| B_3 E h^2/2 with E h^2 = |x|^2 tau^2, one row",
                lambda: (
                    mg.c * mg.b
                    + eta / count * t * mg.third * (t**2 * mg.tau2) / 2
                    - mg.BIAS.rhs.subs(mg.cubes, t**3)
                ),
            ),
        ),
        ("logistic",),
    ),
    Lemma(
        "bias-crude",
        ("margin-law",),
        "E |w_t - noiseless|^2 <= d tau_t^2, and the mean is no farther than that (Jensen).",
        mg.BIAS_CRUDE,
        (Obligation("b^2 = d tau^2", lambda: mg.BIAS_CRUDE.rhs**2 - mg.dim * mg.tau2),),
        ("logistic", "huber"),
    ),
    Lemma(
        "half-width",
        ("S4",),
        "A Lipschitz function of Gaussian noise with constant |x| tau deviates from its mean by more "
        "than h with probability at most 2 exp(-h^2/(2 |x|^2 tau^2)), which is d_t at h = |x| tau "
        "sqrt(2 log(2/d_t)).",
        mg.HALF_WIDTH,
        (
            Obligation(
                "2 exp(-h^2/(2 |x|^2 tau^2)) = d_t",
                lambda: (
                    2
                    * sp.exp(
                        -((mg.HALF_WIDTH.rhs.subs({mg.b: 0, mg.length: b, mg.tau2: t, mg.d_t: z})) ** 2)
                        / (2 * b**2 * t)
                    )
                    - z
                ),
            ),
        ),
        ("logistic", "huber"),
    ),
)
