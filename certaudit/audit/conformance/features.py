"""What two samples of models are compared by: sums of features over one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.conformance.checks import scale_words
from certaudit.audit.conformance.coordinates import ROUNDING, coordinates, standardized, varying

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DIRECTIONS = 8
"""Models for every principal direction whose spread is compared."""

MOST_PRODUCTS = 12
"""Principal directions whose covariances are compared."""

FREQUENCIES = 32
"""Of each of the two kernels; random Fourier features are twice as many."""

NEAR = 256
"""Models whose distances set the kernel's width."""


@dataclass(frozen=True)
class Feature:
    """``values``: (N, k) numbers of the N models of both samples together.

    ``reduce`` makes a statistic (b,) of (b, k) sums of them over one sample, large ones being strange;
    ``words`` says what a difference means, given the mask of the sample that is tested.
    """

    name: str
    values: Floats
    reduce: Callable[[Floats], Floats]
    words: Callable[[Mask], str]


def _square(sums: Floats) -> Floats:
    return np.asarray((sums**2).sum(axis=1))


def _largest(sums: Floats) -> Floats:
    return np.asarray(np.abs(sums).max(axis=1, initial=0.0))


def _pairs(counts: Floats) -> Floats:
    return np.asarray((counts * (counts - 1) / 2).sum(axis=1))


def features(
    pooled: Floats, score: Callable[[Floats], Floats], rng: np.random.Generator
) -> Iterator[Feature]:
    """Every feature of (N, d) models whose order says nothing about the sample they are from.

    ``score`` is a function of (m, d) models fixed beforehand, along the predicted difference of the
    worlds.  Sources: Hotelling's statistic, regularized for many parameters (Chen et al. 2011); the
    kernel statistic by random Fourier features (Gretton et al. 2012; Rahimi and Recht 2007).
    """
    at = coordinates(pooled)
    yield Feature("mean", _centred(at.shrunk), _square, lambda of: _mean_words(at.white, of))
    along = standardized(np.nan_to_num(score(pooled))[:, None])
    yield Feature("directed mean", along, _square, lambda of: _directed_words(along, of))
    wide = at.white[:, : max(1, len(pooled) // DIRECTIONS)]
    sizes = np.log(np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12))
    yield Feature("noise scale", _centred(sizes), _square, lambda of: _scale_words(sizes, of))
    far = np.abs(wide)
    yield Feature("variance by direction", _unit(far), _largest, lambda of: _direction_words(far, of))
    text = "the covariance is not that of certaudit's own models"
    yield Feature("covariance", _unit(_products(wide)), _square, lambda of: text)
    spread = "the models are spread otherwise than certaudit's own of this spec"
    yield Feature("kernel", _centred(_waves(at.shrunk, rng)), _square, lambda of: spread)
    equal = _equal(np.round(varying(pooled) / ROUNDING))
    yield Feature("duplicates", equal, _pairs, lambda of: _equal_words(equal, of))


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean(axis=0))


def _unit(values: Floats) -> Floats:
    spread = values.std(axis=0)
    return _centred(values) / np.where(spread > 0, spread, 1.0)


def _waves(points: Floats, rng: np.random.Generator) -> Floats:
    """Features of two Gaussian kernels, as wide as the median distance of some points and half of it."""
    some = points[:NEAR]
    squares = (some**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * some @ some.T
    width = float(np.median(distances[np.triu_indices(len(some), 1)]))
    frequencies = rng.normal(size=(points.shape[1], 2 * FREQUENCIES)) / np.sqrt(max(width, 1e-12))
    frequencies[:, FREQUENCIES:] *= 2
    phases = points @ frequencies
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1)


def _products(wide: Floats) -> Floats:
    """Products of two of the widest directions, cut off at two standard deviations each."""
    some = np.clip(wide[:, :MOST_PRODUCTS], -2, 2)
    first, second = np.triu_indices(some.shape[1])
    return np.asarray(some[:, first] * some[:, second])


def _equal(coarse: Floats) -> Floats:
    """(N, k) membership in the k classes of models that are equal; none where all are."""
    if not coarse.shape[1]:
        return np.zeros((len(coarse), 0))
    _, classes, counts = np.unique(coarse, axis=0, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts > 1)
    return np.asarray(classes.reshape(-1, 1) == several, dtype=np.float64)


def _gap(values: Floats, of: Mask) -> Floats:
    return np.asarray(values[of].mean(axis=0) - values[~of].mean(axis=0))


def _mean_words(white: Floats, of: Mask) -> str:
    off = float(np.linalg.norm(_gap(white, of)))
    return f"the mean lies about {off:.3g} standard deviations from that of certaudit's own models"


def _directed_words(along: Floats, of: Mask) -> str:
    off = float(_gap(along, of).sum())
    side = "towards world P" if off > 0 else "towards world Q"
    return (
        f"along the difference of the worlds the mean lies about {abs(off):.3g} standard deviations "
        f"{side} from that of certaudit's own models"
    )


def _scale_words(sizes: Floats, of: Mask) -> str:
    return scale_words(float(np.exp(_gap(sizes, of)[0])))


def _direction_words(wide: Floats, of: Mask) -> str:
    if not wide.shape[1]:
        return "no direction varies"
    first, second = wide[of].mean(axis=0), np.maximum(wide[~of].mean(axis=0), 1e-300)
    ratios = first / second
    worst = int(np.argmax(np.abs(np.log(np.maximum(ratios, 1e-300)))))
    return scale_words(float(ratios[worst])) + " in one direction"


def _equal_words(equal: Floats, of: Mask) -> str:
    pairs = int(_pairs(equal[of].sum(axis=0, keepdims=True))[0])
    return f"{pairs} pairs of models are equal: a seed was used again, or too few are used"
