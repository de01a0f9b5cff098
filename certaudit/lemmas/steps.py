"""One gradient step: what deletion changes, how far it contracts, and projections."""

from __future__ import annotations

import sympy as sp

from certaudit.kernel import sensitivity as k
from certaudit.kernel import spectrum as sm
from certaudit.kernel.slope import LIPSCHITZ, G, M, X
from certaudit.lemmas.lemma import Lemma, Obligation

t, e, f = sp.symbols("t e f", positive=True)
theta = sp.Symbol("theta", positive=True)
gone, rest = sp.symbols("g_F g_rest", real=True)
a, b, h = sp.symbols("a b h", real=True)
DELETION = ("S1", "S2", "S3", "S4")
N = k.k + k.kept


def _convex_combination() -> sp.Expr:
    end = theta * (1 - sm.eta * sm.m) + (1 - theta) * (1 - sm.eta * sm.L)
    return 1 - sm.eta * (theta * sm.m + (1 - theta) * sm.L) - end


def _clipped(slope: sp.Expr) -> sp.Expr:
    """The slope left when the gradient slope * x, of norm |slope| X, is cut to norm e."""
    norm = sp.Abs(slope) * X
    return slope * sp.Min(norm, e) / norm


def _nonexpansive() -> sp.Expr:
    """|v|^2 - |p|^2 = |v - p|^2 + 2 p.(v - p), in two coordinates."""
    v, p = sp.Matrix(sp.symbols("v_1 v_2", real=True)), sp.Matrix(sp.symbols("p_1 p_2", real=True))
    return v.dot(v) - p.dot(p) - ((v - p).dot(v - p) + 2 * p.dot(v - p))


LEMMAS = (
    Lemma(
        "gradient-difference",
        DELETION,
        "The loss part of a step is eta/N times a sum over the rows, so deletion with N kept changes "
        "the step by -(eta/N) times the gradients of the removed rows F: at most (eta/N) S_F with S_F"
        " the sum of their norms, s = eta k M/N if each is at most M.",
        k.INSTANCE,
        (
            Obligation(
                "step on all rows minus step on the rest",
                lambda: (
                    k.eta * (gone + rest) / k.count
                    - k.eta * rest / k.count
                    - k.INSTANCE.rhs.subs(k.forgotten, gone)
                ),
            ),
            Obligation(
                "k gradients of norm M", lambda: k.INSTANCE.rhs.subs(k.forgotten, k.k * M) - k.WORST.rhs
            ),
        ),
    ),
    Lemma(
        "gradient-difference-current",
        ("S1", "S2"),
        "With N the current number of rows, N = k + n_kept, deletion also reweights the rest: the "
        "step changes by (eta/N)(g_F - (k/n_kept) g_rest), of norm at most (eta/N)(S_F + (k/n_kept) "
        "S_rest).",
        k.INSTANCE_CURRENT,
        (
            Obligation(
                "eta/N (g_F + g_rest) - eta/n_kept g_rest",
                lambda: (
                    k.eta * (gone + rest) / N
                    - k.eta * rest / k.kept
                    - k.eta * (gone - k.k / k.kept * rest) / N
                ),
            ),
            Obligation(
                "the triangle inequality gives the formula",
                lambda: (
                    k.INSTANCE_CURRENT.rhs.subs(k.count, N)
                    - k.eta / N * (k.forgotten + k.k / k.kept * k.others)
                ),
            ),
            Obligation(
                "all norms M: twice the bound with N kept",
                lambda: (
                    k.INSTANCE_CURRENT.rhs.subs({k.forgotten: k.k * M, k.others: k.kept * M})
                    - k.WORST_CURRENT.rhs
                ),
            ),
        ),
        option="current",
    ),
    Lemma(
        "chain-rule",
        ("S1", "S2", "S1-drift"),
        "The gradient of loss(x.w) in w is loss'(x.w) x, of norm at most G |x|, G a bound on |loss'|.",
        LIPSCHITZ,
        (Obligation("the formula is G times the norm of the row", lambda: LIPSCHITZ.rhs - G * X),),
    ),
    Lemma(
        "drift",
        ("S1-drift",),
        "phi(w) = (1 - eta lambda) w - eta g(w) with |g| <= g_P, and phi' likewise with g_Q, whatever"
        " the loss: |phi(u) - phi'(v)| <= |1 - eta lambda| |u - v| + eta (g_P + g_Q).",
        sp.Tuple(k.SHRINKAGE, k.TWO_GRADIENTS),
        (
            Obligation(
                "split of the difference",
                lambda: (
                    ((1 - k.eta * k.lam) * a - k.eta * gone)
                    - ((1 - k.eta * k.lam) * b - k.eta * rest)
                    - ((1 - k.eta * k.lam) * (a - b) + k.eta * (rest - gone))
                ),
            ),
            Obligation("the factor", lambda: k.SHRINKAGE.rhs - sp.Abs(1 - k.eta * k.lam)),
            Obligation("the shift", lambda: k.TWO_GRADIENTS.rhs - k.eta * k.mean_p - k.eta * k.mean_q),
        ),
    ),
    Lemma(
        "eigenvalues",
        ("curvature",),
        "Along a unit vector on which X^T X takes the value kappa the Hessian is between lambda and "
        "beta kappa/N + lambda (ridge: exactly kappa/N + lambda), and kappa_min <= kappa <= "
        "kappa_max.",
        sp.Tuple(sm.STRONG, sm.SMOOTH),
        (
            Obligation(
                "the gap to L is beta (kappa_max - kappa)/N",
                lambda: (
                    sm.SMOOTH.rhs.subs(sm.largest, h + t)
                    - (sm.beta * h / sm.count + sm.lam)
                    - sm.beta * t / sm.count
                ),
            ),
            Obligation(
                "the gap to m is (kappa - kappa_min)/N",
                lambda: ((sm.least + t) / sm.count + sm.lam) - sm.STRONG.rhs - t / sm.count,
            ),
            Obligation(
                "L grows with kappa_max (rounding up)", lambda: sp.diff(sm.SMOOTH.rhs, sm.largest) > 0
            ),
            Obligation(
                "m grows with kappa_min (rounding down)", lambda: sp.diff(sm.STRONG.rhs, sm.least) > 0
            ),
        ),
    ),
    Lemma(
        "contraction-at-an-end",
        ("contraction",),
        "A gradient step multiplies each direction by 1 - eta h with m <= h <= L (mean value "
        "theorem), and |1 - eta h| is convex in h, so it is largest at h = m or h = L.",
        sm.STEP,
        (
            Obligation("1 - eta h is affine in h = theta m + (1 - theta) L", _convex_combination),
            Obligation(
                "a weighted mean of two sizes e, e + t is at most the larger (theta = 1/(1 + f))",
                lambda: sp.Ge(
                    (e + t) - (theta * e + (1 - theta) * (e + t)).subs(theta, 1 / (1 + f)),
                    0,
                    evaluate=False,
                ),
            ),
            Obligation(
                "the formula is the larger end",
                lambda: sm.STEP.rhs - sp.Max(sp.Abs(1 - sm.eta * sm.m), sp.Abs(1 - sm.eta * sm.L)),
            ),
            Obligation(
                "1 - (1 - x)^2 = x (2 - x): below 1 for 0 < x < 2",
                lambda: 1 - (1 - e) ** 2 - e * (2 - e),
            ),
        ),
    ),
    Lemma(
        "expansion-bound",
        ("contraction",),
        "Clipping is a projection onto a ball, so it keeps each example's Lipschitz constant. With the "
        "regularizer inside, the rows in the batch have beta |x_j|^2 + lambda each, and "
        "|phi(a) - phi(b)| <= (1 + eta L) |a - b|. With it outside they have beta |x_j|^2, and lambda w "
        "counts once, however many rows are left: phi(w) = (1 - eta lambda) w - eta g(w) with g "
        "(L - lambda)-Lipschitz.",
        sp.Tuple(sm.CLIPPED_SMOOTH, sm.CLIPPED_STEP, sm.WHOLLY_CLIPPED_SMOOTH, sm.WHOLLY_CLIPPED_STEP),
        (
            Obligation(
                "inside: |a - b| + eta L |a - b|",
                lambda: t + sm.eta * sm.L * t - sm.WHOLLY_CLIPPED_STEP.rhs * t,
            ),
            Obligation(
                "inside: sum over rows of beta |x_j|^2 + lambda over N, two rows",
                lambda: (
                    ((sm.beta * e + sm.lam) + (sm.beta * f + sm.lam)) / sm.count
                    - sm.WHOLLY_CLIPPED_SMOOTH.rhs.subs({sm.trace: e + f, sm.size: 2})
                ),
            ),
            Obligation(
                "outside: sum over rows of beta |x_j|^2 over N, and lambda, two rows",
                lambda: (
                    (sm.beta * e + sm.beta * f) / sm.count
                    + sm.lam
                    - sm.CLIPPED_SMOOTH.rhs.subs(sm.trace, e + f)
                ),
            ),
            Obligation(
                "outside: |1 - eta lambda| |a - b| + eta (L - lambda) |a - b|",
                lambda: (
                    sp.Abs(1 - sm.eta * sm.lam) * t
                    + sm.eta * (sm.L - sm.lam) * t
                    - sm.CLIPPED_STEP.rhs * t
                ),
            ),
        ),
        option="clip",
    ),
    Lemma(
        "clip-keeps-convexity",
        ("curvature",),
        "Clipping the loss part of a margin loss to norm C cuts loss' off at -C/|x| and C/|x|: still "
        "a growing function of u with slope at most beta, the derivative of a convex (Huberized) "
        "loss.",
        sp.Eq(sp.Symbol("clipped loss'"), sp.Max(-e / X, sp.Min(e / X, sp.Symbol("loss'(u)")))),
        (
            Obligation("beyond: loss' X = C + t", lambda: _clipped((e + t) / X) - e / X),
            Obligation("beyond, negative", lambda: _clipped(-(e + t) / X) + e / X),
            Obligation("inside: C = loss' X + t", lambda: _clipped(f / X).subs(e, f + t) - f / X),
        ),
        option="clip",
    ),
    Lemma(
        "projection-nonexpansive",
        ("contraction", "I1", "R2"),
        "A projection onto a ball (any closed convex set) does not expand: with v = u - u' and p the "
        "difference of the projections, p.(v - p) >= 0, hence |p| <= |v|.",
        sp.Le(sp.Symbol("|p|"), sp.Symbol("|v|")),
        (Obligation("|v|^2 - |p|^2 = |v - p|^2 + 2 p.(v - p)", _nonexpansive),),
        option="projection",
    ),
)
