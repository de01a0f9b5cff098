"""E-variables of a claim: what one shadow of each world may multiply a bettor's wealth by (A4).

Every bet here is a pair of functions u, v >= 0 of the two models with E_P u + E_Q v <= 2 whenever the
claim holds.  As the two shadows are independent, E u(x) v(y) = E_P u E_Q v <= ((E_P u + E_Q v)/2)^2
<= 1: the product is an e-variable.  No product of that kind grows faster than the one at the claim's
least Kullback–Leibler divergence: with (P*, Q*) the pair nearest to the truth among those that keep the
(convex) claim, u = dP/dP* and v = dQ/dQ* satisfy the condition by (P*, Q*)'s optimality, and the mean
logarithm is KL(P|P*) + KL(Q|Q*), the growth-rate limit.

The models enter through an estimate of log dP/dQ.  A poor estimate costs growth and no validity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, ndtr

from certaudit.claims import Direction

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Taken off the logarithm of every e-variable for the rounding of floats."""

SHARES = np.array([0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8])
CAPS = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.55, 0.8, 1.0])
NEGLIGIBLE = 1e-4
MOST_EPSILON = 600.0


@dataclass(frozen=True)
class Ratios:
    """Estimated log-ratios of past shadows as a table: value, and its share in each world."""

    value: Floats
    p: Floats
    q: Floats

    @classmethod
    def of(cls, p: Floats, q: Floats, bins: int = 64) -> Ratios:
        """Quantile bins of the pooled values, each at its mean."""
        pooled = np.concatenate([p, q])
        order = np.argsort(pooled, kind="stable")
        groups = np.array_split(order, min(bins, len(order)))
        value = np.array([pooled[g].mean() for g in groups])
        first = np.array([(g < len(p)).sum() for g in groups], dtype=float)
        second = np.array([len(g) for g in groups]) - first
        return cls(value, first / len(p), second / len(q))


class Bet(Protocol):
    """An e-variable fixed before the round."""

    def logs(self, value: Floats) -> tuple[Floats, Floats]:
        """Log u at models of world P, log v at models of world Q, for log-ratios ``value``."""
        ...


class Null(Protocol):
    """The pairs of laws that keep a claim, in every direction it names."""

    def bet(self, past: Ratios) -> Bet:
        """The bet that would have grown fastest on the past."""
        ...


def log_e(bet: Bet, p: Floats, q: Floats) -> Floats:
    """Logarithm of the e-variable of every round, for log-ratios of its two shadows."""
    return np.asarray(bet.logs(p)[0] + bet.logs(q)[1] - ROUNDING)


def growth(bet: Bet, past: Ratios) -> float:
    """Mean log e-variable on a table of log-ratios."""
    u, v = bet.logs(past.value)
    inside_p, inside_q = past.p > 0, past.q > 0
    return float(past.p[inside_p] @ u[inside_p] + past.q[inside_q] @ v[inside_q])


@dataclass(frozen=True)
class HockeyStickBet:
    """u = a + f - e^eps g, v = b - e^eps f + g with f in [0, high_f], g in [0, high_g].

    Under (eps, delta) in both directions E_P f <= e^eps E_Q f + delta high_f and likewise for g, so
    E_P u + E_Q v <= a + b + delta (high_f + high_g), which the maker keeps at 2.  ``tuned``, at least
    ``epsilon``, is the claim f and g were chosen for: at a smaller claim the same bet gains more.  The
    caps are those of e^tuned f and e^tuned g.
    """

    epsilon: float
    tuned: float
    a: float
    b: float
    cap_f: float
    cap_g: float

    def logs(self, value: Floats) -> tuple[Floats, Floats]:
        """See Bet."""
        f, g = _best(value, self.tuned, self.a, self.b)
        f, g = np.clip(f, 0.0, self.cap_f), np.clip(g, 0.0, self.cap_g)
        small, ratio = math.exp(-self.tuned), math.exp(self.epsilon - self.tuned)
        with np.errstate(divide="ignore"):
            return np.log(self.a + small * f - ratio * g), np.log(self.b - ratio * f + small * g)


def _best(value: Floats, epsilon: float, a: float | Floats, b: float | Floats) -> tuple[Floats, Floats]:
    """e^eps f and e^eps g that maximize p log u + q log v at each log-ratio, before clipping."""
    odds_p, odds_q = expit(value), expit(-value)
    up = np.exp(np.minimum(epsilon + log_expit(-value), 700.0))
    down = np.exp(np.minimum(epsilon + log_expit(value), 700.0))
    return b * odds_p - a * up, a * odds_q - b * down


@dataclass(frozen=True)
class HockeyStick:
    """(epsilon, delta) in every direction named; bets are made for ``tuned`` >= epsilon."""

    epsilon: float
    delta: float
    directions: Sequence[Direction]
    tuned: float | None = None

    def bet(self, past: Ratios) -> HockeyStickBet:
        """The best of a grid of shares and caps."""
        tuned = min(self.epsilon if self.tuned is None else self.tuned, MOST_EPSILON)
        epsilon, small = min(self.epsilon, tuned), math.exp(-tuned)
        caps = CAPS if self.delta * small > NEGLIGIBLE else CAPS[[0, -1]]
        share, high_f, high_g = (
            x.ravel()[:, None]
            for x in np.meshgrid(
                SHARES,
                caps if "P|Q" in self.directions else CAPS[:1],
                caps if "Q|P" in self.directions else CAPS[:1],
                indexing="ij",
            )
        )
        # a = 2 share / z and b = 2 (1 - share) / z leave a + b + delta (caps) = 2.
        z = 1 + self.delta * small * (high_f * (1 - share) + high_g * share)
        a, b = 2 * share / z, 2 * (1 - share) / z
        f, g = _best(past.value, tuned, a, b)
        f, g = np.clip(f, 0.0, high_f * b), np.clip(g, 0.0, high_g * a)
        ratio = math.exp(epsilon - tuned)
        gains = _mean_log(past, a + small * f - ratio * g, b - ratio * f + small * g)
        k = int(np.argmax(gains))
        if not gains[k] > 0:
            return HockeyStickBet(epsilon, tuned, 1.0, 1.0, 0.0, 0.0)
        a_k, b_k = float(a[k, 0]), float(b[k, 0])
        return HockeyStickBet(
            epsilon, tuned, a_k, b_k, float(high_f[k, 0]) * b_k, float(high_g[k, 0]) * a_k
        )


def _mean_log(past: Ratios, u: Floats, v: Floats) -> Floats:
    tiny = 1e-300
    return np.asarray(np.log(np.maximum(u, tiny)) @ past.p + np.log(np.maximum(v, tiny)) @ past.q)


@dataclass(frozen=True)
class Gaussian:
    """mu-Gaussian DP with slack: (eps, delta_mu(eps) + slack) for every eps >= 0."""

    mu: float
    slack: float
    directions: Sequence[Direction]

    def bet(self, past: Ratios) -> HockeyStickBet:
        """The best bet against one of the (eps, delta) claims that this one implies."""
        top = max(self.mu**2 / 2 + 4 * self.mu, float(np.abs(past.value).max()), 1e-3)
        bets = [
            HockeyStick(e, self.slack + gaussian_delta(self.mu, e), self.directions).bet(past)
            for e in np.linspace(0.0, min(top, 40.0), 13)
        ]
        return max(bets, key=lambda one: growth(one, past))


def gaussian_delta(mu: float, epsilon: float) -> float:
    """delta of a mu-GDP pair at epsilon (C5) in floats, rounded up by 1e-13."""
    if mu <= 0:
        return 0.0
    upper = float(ndtr(mu / 2 - epsilon / mu)) - math.exp(epsilon) * float(ndtr(-mu / 2 - epsilon / mu))
    return max(upper, 0.0) + 1e-13


@dataclass(frozen=True)
class RenyiBet:
    """u = 1 + k alpha (c^(alpha-1) - 1) - s, v = 1 - k (alpha-1) (c^alpha - 1) - t.

    By convexity p^alpha q^(1-alpha) >= alpha c^(alpha-1) p - (alpha-1) c^alpha q for any c > 0, so under
    D_alpha <= r E_P u + E_Q v <= 2 + k (e^((alpha-1) r) - 1) - s - t, which the maker keeps at 2.
    log c is the log-ratio times ``slope``, clipped to +-``limit``.
    """

    order: float
    sign: float
    slope: float
    limit: float
    k: float
    s: float
    t: float

    def logs(self, value: Floats) -> tuple[Floats, Floats]:
        """See Bet."""
        c = np.clip(self.sign * self.slope * value, -self.limit, self.limit)
        first = 1 + self.k * self.order * np.expm1((self.order - 1) * c) - self.s
        second = 1 - self.k * (self.order - 1) * np.expm1(self.order * c) - self.t
        with np.errstate(divide="ignore"):
            u, v = np.log(np.maximum(first, 0.0)), np.log(np.maximum(second, 0.0))
        return (u, v) if self.sign > 0 else (v, u)


SLOPES = np.array([0.1, 0.25, 0.5, 0.75, 1.0])
LIMITS = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
FRACTIONS = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])


@dataclass(frozen=True)
class Renyi:
    """D_order(first|second) <= value in one direction."""

    order: float
    value: float
    direction: Direction

    def bet(self, past: Ratios) -> RenyiBet:
        """The best of a grid of slopes, limits, sizes and shares of the slack."""
        order, sign = self.order, 1.0 if self.direction == "P|Q" else -1.0
        none = RenyiBet(order, sign, 0.0, 0.0, 0.0, 0.0, 0.0)
        if (order - 1) * self.value > MOST_EPSILON:
            return none
        spare = math.expm1((order - 1) * self.value * (1 + 1e-12))
        slope, limit, size, share = (
            x.ravel()
            for x in np.meshgrid(SLOPES, LIMITS / order, FRACTIONS, [0.2, 0.5, 0.8], indexing="ij")
        )
        # The largest k that keeps u and v nonnegative at both ends of c.
        loss_u = -order * np.expm1(-(order - 1) * limit) + share * spare
        loss_v = (order - 1) * np.expm1(order * limit) + (1 - share) * spare
        k = size / np.maximum(loss_u, loss_v)
        c = np.clip(sign * slope[:, None] * past.value, -limit[:, None], limit[:, None])
        first = 1 + k[:, None] * (order * np.expm1((order - 1) * c) - (share * spare)[:, None])
        second = 1 - k[:, None] * ((order - 1) * np.expm1(order * c) + ((1 - share) * spare)[:, None])
        gains = _mean_log(past, *((first, second) if sign > 0 else (second, first)))
        j = int(np.argmax(gains))
        if not gains[j] > 0:
            return none
        s, t = float(k[j] * share[j] * spare), float(k[j] * (1 - share[j]) * spare)
        return RenyiBet(order, sign, float(slope[j]), float(limit[j]), float(k[j]), s, t)
