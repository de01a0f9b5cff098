"""Hockey sticks and Renyi divergences of two normal laws on the line, in floats."""

from math import inf, log, sqrt

import numpy as np
from scipy.special import ndtr

Normal = tuple[float, float]
"""Mean and variance."""


def delta(p: Normal, q: Normal, epsilon: np.ndarray) -> np.ndarray:
    """sup over S of p(S) - e^epsilon q(S), at each epsilon."""
    epsilon = np.minimum(np.asarray(epsilon, dtype=float), 700.0)
    if p == q:
        return np.maximum(-np.expm1(epsilon), 0)
    (m, v), (n, w) = p, q
    if v == 0 or w == 0:
        return np.ones(epsilon.shape)
    if v == w:
        return gaussian_delta(abs(m - n) / sqrt(v), epsilon)
    # log p/q = a x^2 + b x + c
    a, b = (1 / w - 1 / v) / 2, m / v - n / w
    c = (n * n / w - m * m / v + log(w / v)) / 2
    square = b * b - 4 * a * (c - epsilon)
    root = np.sqrt(np.maximum(square, 0))
    low, high = (-b - root) / (2 * abs(a)), (-b + root) / (2 * abs(a))
    if a < 0:
        low, high = -high, -low
        found = _between(p, low, high) - np.exp(epsilon) * _between(q, low, high)
        return np.where(square > 0, np.maximum(found, 0), 0)
    found = _outside(p, low, high) - np.exp(epsilon) * _outside(q, low, high)
    return np.where(square > 0, found, -np.expm1(epsilon)).clip(0, 1)


def gaussian_delta(mu: float, epsilon: np.ndarray) -> np.ndarray:
    """The hockey stick of N(mu, 1) and N(0, 1)."""
    if mu == 0:
        return np.maximum(-np.expm1(np.asarray(epsilon, dtype=float)), 0)
    found = ndtr(mu / 2 - epsilon / mu) - np.exp(epsilon) * ndtr(-mu / 2 - epsilon / mu)
    return np.maximum(found, 0)


def gaussian_mu(epsilon: float, value: float) -> float:
    """The mu whose hockey stick at epsilon is ``value``."""
    if value <= max(-np.expm1(epsilon), 0):
        return 0.0
    if value >= 1:
        return inf
    low, high = 0.0, 1.0
    while gaussian_delta(high, np.float64(epsilon)) < value:
        low, high = high, 2 * high
        if high > 1e3:
            return inf
    for _ in range(50):
        middle = (low + high) / 2
        below = gaussian_delta(middle, np.float64(epsilon)) < value
        low, high = (middle, high) if below else (low, middle)
    return low


def renyi(p: Normal, q: Normal, order: float) -> float:
    """D_order(p | q)."""
    (m, v), (n, w) = p, q
    if p == q:
        return 0.0
    mixed = order * w + (1 - order) * v
    if min(v, w) == 0 or mixed <= 0:
        return inf
    spread = log(mixed) - (1 - order) * log(v) - order * log(w)
    return order * (m - n) ** 2 / (2 * mixed) - spread / (2 * (order - 1))


def _between(law: Normal, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    a, b = ((x - law[0]) / sqrt(law[1]) for x in (low, high))
    flipped = a > 0
    a, b = np.where(flipped, -b, a), np.where(flipped, -a, b)
    return ndtr(b) - ndtr(a)


def _outside(law: Normal, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return ndtr((low - law[0]) / sqrt(law[1])) + ndtr((law[0] - high) / sqrt(law[1]))
