"""Pairs of Gaussian laws given outright, and one-dimensional truth by mpmath."""

from fractions import Fraction as F

import mpmath as mp
from flint import arb, arb_mat
from law_runs import tiny

from certaudit.core.balls import ball, matrix
from certaudit.core.proof import Line, Proof
from certaudit.core.rule import Conclusion
from certaudit.core.statement import Law, Pair


def given(mean_p, covariance_p, mean_q, covariance_q):
    """A Law statement about exact numbers."""
    laws = []
    for mean, covariance in ((mean_p, covariance_p), (mean_q, covariance_q)):
        laws += [tuple(map(ball, mean)), tuple(map(tuple, matrix(covariance).tolist()))]
    return Law(*laws)


def line(l, nu, reverse=False):
    """The law of N(nu, 1 + l) against N(0, 1), or the two exchanged."""
    one, two = ([nu], [[1 + F(l)]]), ([F(0)], [[F(1)]])
    return given(*two, *one) if reverse else given(*one, *two)


def pair(l, nu, phi=F(1, 2**300)):
    """A stand-in that misses next to nothing."""
    return Pair("P|Q", tuple(map(ball, l)), tuple(map(ball, nu)), ball(phi))


def proof_of(law):
    """A proof whose first line states ``law``, as no rule would."""
    proof = Proof(tiny(d=len(law.mean_p)))
    first = Line(0, "given", (), None, Conclusion(law))
    proof._lines += (first,)
    return proof, first


def number(x):
    """An exact number in mpmath."""
    x = F(x)
    return mp.mpf(x.numerator) / x.denominator


def truth(l, nu, eps, digits=60):
    """delta(eps) of N(nu, 1 + l) against N(0, 1), in a ball of a relative 1e-25."""
    with mp.workdps(digits):
        l, nu, eps = number(l), abs(number(nu)), number(eps)
        tail = lambda z: mp.erfc(z / mp.sqrt(2)) / 2
        if l == 0:
            value = tail(eps / nu - nu / 2) - mp.exp(eps) * tail(eps / nu + nu / 2)
        else:
            radicand = (1 + l) / l * (nu**2 / l + mp.log1p(l) + 2 * eps)
            if radicand <= 0:
                return arb(0)
            low, high = (-nu / l + sign * mp.sqrt(radicand) for sign in (-1, 1))
            own = lambda x: (x - nu) / mp.sqrt(1 + l)
            if l > 0:
                value = tail(-own(low)) + tail(own(high)) - mp.exp(eps) * (tail(-low) + tail(high))
            else:
                value = tail(own(low)) - tail(own(high)) - mp.exp(eps) * (tail(low) - tail(high))
        return arb(mp.nstr(value, 40, min_fixed=0, max_fixed=0)) * arb(1, "1e-25")


def turned(d, angle=F(3, 5)):
    """A rational rotation of the first two of d coordinates, as rows."""
    c, s = angle, F(4, 5)
    rows = [[F(int(i == j)) for j in range(d)] for i in range(d)]
    if d > 1:
        rows[0][0], rows[0][1], rows[1][0], rows[1][1] = c, -s, s, c
    return rows


def product(a, b):
    """Exact product of tables."""
    return [
        [sum(x * y for x, y in zip(row, col, strict=True)) for col in zip(*b, strict=True)] for row in a
    ]


def flipped(a):
    """Transpose."""
    return [list(row) for row in zip(*a, strict=True)]


def column(m: arb_mat):
    """Entries."""
    return list(m.entries())
