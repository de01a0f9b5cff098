"""From a hockey stick to the least epsilon and the least mu."""

from collections.abc import Callable
from math import inf

import numpy as np
from oracles.normal_pair import gaussian_delta, gaussian_mu
from scipy.special import ndtr

LARGEST = 300.0
CLOSE = 1e-6

Sticks = Callable[[np.ndarray], np.ndarray]
"""delta at each of some epsilons."""


def epsilon(stick: Callable[[float], float], delta: float) -> float:
    """The epsilon at which a falling function reaches delta (0: at once, inf: not by 300)."""
    if stick(0.0) <= delta:
        return 0.0
    low, high = 0.0, 0.5
    while stick(high) > delta:
        low, high = high, 2 * high
        if high > LARGEST:
            return inf
    while high - low > CLOSE * high and high > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if stick(middle) > delta else (low, middle)
    return (low + high) / 2


def least_mu(sticks: Sticks, slack: float, error: float) -> float:
    """A lower bound, and close, of the mu with stick(epsilon) <= gaussian_delta(mu, epsilon) + slack."""

    def needed(points: np.ndarray) -> np.ndarray:
        values = sticks(points) - slack - error
        return np.array([gaussian_mu(e, v) for e, v in zip(points, values, strict=True)])

    top = _reach(sticks, slack)
    points = np.concatenate([np.linspace(-top, top, 13), np.geomspace(top / 200, top * 0.9, 6)])
    points.sort()
    found = needed(points)
    for _ in range(3):
        k = int(found.argmax())
        around = points[[max(k - 1, 0), k, min(k + 1, len(points) - 1)]]
        new = (around[1:] + around[:-1]) / 2
        order = np.argsort(points := np.append(points, new), kind="stable")
        points, found = points[order], np.append(found, needed(new))[order]
    return float(found.max())


def mu_suffices(sticks: Sticks, mu: float, slack: float, error: float) -> bool:
    """Whether stick(epsilon) <= gaussian_delta(mu, epsilon) + slack is certain everywhere: in
    t = e^epsilon both are convex, and every chord of the one is below a tangent of the other."""
    top = _reach(sticks, slack)
    grid = np.concatenate([-np.geomspace(top, top / 300, 60), [0.0], np.geomspace(top / 300, top, 90)])
    values = sticks(grid) + error
    if values[-1] > slack:
        return False
    t, above = np.append(0.0, np.exp(grid)), np.append(1.0, values) - slack
    middle = (t[1:] + t[:-1]) / 2
    at = np.log(middle)
    tangent = gaussian_delta(mu, at)
    reach = -ndtr(-mu / 2 - at / mu) * (t[1:] - middle)
    return bool((tangent + reach >= above[1:]).all() and (tangent - reach >= above[:-1]).all())


def _reach(sticks: Sticks, slack: float) -> float:
    """An epsilon beyond which the stick is below half the slack, or a large one."""
    top = 0.5
    while top < LARGEST and sticks(np.array([top]))[0] > max(slack / 2, 1e-12):
        top *= 2
    return top
