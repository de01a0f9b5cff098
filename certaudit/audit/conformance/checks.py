"""The checks of whitened models: each gives a statistic, a valid p-value and its meaning.

Under an honest implementation the numbers are independent N(0, 1), and every p-value below is exact, but
for the covariance's, which is a Monte-Carlo p-value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from certaudit.audit.conformance import nulls

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A check before its share of the level is known."""

    name: str
    where: str
    statistic: float
    p_value: float
    meaning: str


def scale_words(ratio: float) -> str:
    """What a ratio of standard deviations means."""
    if ratio <= 0:
        return "there is no noise"
    if not 0.5 < ratio < 2:
        return f"the noise is {ratio:.3g} times what it should be"
    percent = abs(ratio - 1) * 100
    return f"the noise is about {percent:.2g} % too {'large' if ratio > 1 else 'small'}"


def of_world(world: str, z: Floats) -> Iterator[Found]:
    """The checks of one world's (m, d) numbers, m >= 2."""
    yield mean(world, z)
    yield scale(f"world {world}", [z])
    yield from covariance(world, z)
    yield from coordinates(world, z)
    yield from dependence(world, z)


def mean(world: str, z: Floats) -> Found:
    """m |mean|^2 is chi-square with d degrees."""
    m, d = z.shape
    value = float(m * (z.mean(axis=0) ** 2).sum())
    off = float(np.sqrt((z.mean(axis=0) ** 2).sum()))
    text = f"the mean lies about {off:.3g} standard deviations from where the spec puts it"
    return Found("mean", f"world {world}", value, float(nulls.chi_square(value, d)), text)


def directed(world: str, z: Floats, direction: Floats) -> Found:
    """The mean along a (d,) unit vector fixed by the spec: sqrt(m) times it is standard normal."""
    value = float(np.sqrt(len(z)) * (z.mean(axis=0) @ direction))
    off = value / np.sqrt(len(z))
    text = (
        f"the mean lies about {abs(off):.3g} standard deviations from where the spec puts it, along the "
        f"difference of the worlds and {'away from' if off > 0 else 'towards and past'} the other world"
    )
    return Found("directed mean", f"world {world}", value, float(2 * special.ndtr(-abs(value))), text)


def scale(where: str, worlds: list[Floats]) -> Found:
    """The sum of squares about the means is chi-square; two-sided."""
    total = float(sum(((z - z.mean(axis=0)) ** 2).sum() for z in worlds))
    freedom = sum((len(z) - 1) * z.shape[1] for z in worlds)
    p = float(nulls.chi_square_both(total, freedom))
    return Found("noise scale", where, total, p, scale_words(float(np.sqrt(total / freedom))))


def covariance(world: str, z: Floats) -> Iterator[Found]:
    """The likelihood ratio against covariance I (if m > d), and the largest departure of the variance of
    any coordinate and of any neighbouring coordinates' sum and difference."""
    m, d = z.shape
    centred = z - z.mean(axis=0)
    if m - 1 >= d:
        value = nulls.likelihood_ratio(centred.T @ centred, m - 1)
        p = nulls.likelihood_ratio_p(value, d, m - 1)
        yield Found("covariance", f"world {world}", value, p, "the covariance is not the spec's")
    pairs = d if d > 2 else d - 1
    here, after = centred[:, :pairs], np.roll(centred, -1, axis=1)[:, :pairs]
    directions = np.hstack([centred, (here + after) / np.sqrt(2), (here - after) / np.sqrt(2)])
    squares = (directions**2).sum(axis=0)
    each = nulls.chi_square_both(squares, m - 1)
    worst = int(np.argmin(each))
    text = scale_words(float(np.sqrt(squares[worst] / (m - 1)))) + " in one direction"
    yield Found(
        "variance by direction", f"world {world}", float(squares[worst]), nulls.smallest(each), text
    )


def coordinates(world: str, z: Floats) -> Iterator[Found]:
    """Kolmogorov-Smirnov on all the numbers, on every coordinate, and on the models' squared norms."""
    where = f"world {world}"
    uniforms = special.ndtr(z)
    distance, p = nulls.kolmogorov(uniforms.reshape(-1, 1))
    text = "the numbers together do not look normal"
    yield Found("all numbers", where, float(distance[0]), float(p[0]), text)
    distance, p = nulls.kolmogorov(uniforms)
    worst = int(np.argmin(p))
    text = f"coordinate {worst} does not follow its law"
    yield Found("coordinates", where, float(distance[worst]), nulls.smallest(p), text)
    squares = special.gammainc(z.shape[1] / 2, (z**2).sum(axis=1, keepdims=True) / 2)
    distance, p = nulls.kolmogorov(squares)
    text = "the models lie too far from, or too near to, their mean"
    yield Found("norms", where, float(distance[0]), float(p[0]), text)


def dependence(world: str, z: Floats) -> Iterator[Found]:
    """Correlation of consecutive models, in pairs from the first and from the second; equal models."""
    where, m = f"world {world}", len(z)
    rows = [(z[k : m - 1 : 2], z[k + 1 :: 2]) for k in range(min(2, m - 1))]
    pairs = [nulls.correlation(a, b) for a, b in rows]
    r, _ = min(pairs, key=lambda pair: pair[1])
    p = nulls.smallest(np.array([pair[1] for pair in pairs]))
    text = f"consecutive models are correlated (r = {r:.2g})"
    yield Found("consecutive models", where, r, p, text)
    equal = m - len(np.unique(z, axis=0))
    text = f"{equal} models equal another: a seed was used again"
    yield Found("duplicates", where, float(equal), float(equal == 0), text)


def between(z_p: Floats, z_q: Floats) -> Found:
    """Correlation of model k of world P with model k of world Q."""
    m = min(len(z_p), len(z_q))
    r, p = nulls.correlation(z_p[:m], z_q[:m])
    text = f"model k of one world and of the other are correlated (r = {r:.2g}): a seed was used again"
    return Found("between worlds", "both worlds", r, p, text)
