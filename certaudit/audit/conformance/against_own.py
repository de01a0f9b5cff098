"""Models of foreign code against models of certaudit's own dynamics for the same spec.

Nothing is known of the law of either.  If the code does what the spec says, the models of a world are
independent draws of one law: which of them are the code's is then a random choice, and their order a
random order.  Every p-value below is a permutation test of one of the two, exact whatever the law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy import special

from certaudit.audit.conformance.checks import Found
from certaudit.audit.conformance.coordinates import coordinates
from certaudit.audit.conformance.features import features
from certaudit.audit.conformance.permutation import orders, p_values, subsets
from certaudit.audit.conformance.result import Check, ConformanceReport, not_checked
from certaudit.run import WORLDS, World

Floats = NDArray[np.float64]

TESTS = 7 * len(WORLDS) + len(WORLDS) + 1
"""Features and consecutive models in each world, and the worlds together; each has an equal share."""

LEAST_LEVEL = 1e-6
"""Share of one test below which permutations would take too long."""

MOST_PAIRED = 4096
"""Models of a world whose order is tested."""

OFTEN = 0.84


def conform(
    code: Mapping[World, Floats],
    own: Mapping[World, Floats],
    score: Callable[[Floats], Floats],
    level: float,
    seed: int = 0,
) -> ConformanceReport:
    """Compare (n, d) finite models of the code with (m, d) of certaudit's own, world by world.

    ``score``, from (k, d) models to (k,) numbers, looks along the predicted difference of the worlds; it
    must not come from the models compared.  Honest code is said to differ with probability at most
    ``level``, whatever the law of the models (Bonferroni over TESTS).
    """
    count = min(len(models) for models in code.values())
    least, share = min(len(models) for models in own.values()), level / TESTS
    if comb(count + least, count) < 1 / share:
        return not_checked(level, f"{count} models of each world are too few to tell anything by", count)
    if share < LEAST_LEVEL:
        return not_checked(level, f"tests at level {share:.2g} each would take too long", count)
    found = [
        one
        for k, world in enumerate(WORLDS)
        for one in _samples(
            world, code[world], own[world], score, share, np.random.default_rng((seed, k, count, 6))
        )
    ]
    found += _order(code, count, share, np.random.default_rng((seed, 2, count, 6)))
    judged = tuple(
        Check(f.name, f.where, f.statistic, f.p_value, share, f.meaning, count) for f in found
    )
    compared = f"{count} models of each world against {least} of certaudit's own for this spec"
    shift = (float(-special.ndtri(share / 2)) + OFTEN) * np.sqrt(1 / count + 1 / least)
    sees = (
        f"a mean off by about {shift:.2g} standard deviations along the difference of the worlds would "
        "have been seen 4 times in 5"
    )
    return ConformanceReport(level, count, judged, compared=compared, sees=(sees,))


def _samples(
    world: World,
    code: Floats,
    own: Floats,
    score: Callable[[Floats], Floats],
    share: float,
    rng: np.random.Generator,
) -> Iterator[Found]:
    """Two samples: every feature's sum over the code's models against sums over as many at random."""
    total = len(code) + len(own)
    shuffled = rng.permutation(total)
    pooled, of = np.concatenate([code, own])[shuffled], shuffled < len(code)
    every = list(features(pooled, score, rng))
    table = np.concatenate([one.values for one in every], axis=1)
    edges = np.cumsum([one.values.shape[1] for one in every])[:-1]

    def statistics(masks: NDArray[np.bool_]) -> Floats:
        parts = np.split(masks.astype(np.float64) @ table, edges, axis=1)
        return np.stack([one.reduce(s) for one, s in zip(every, parts, strict=True)], axis=1)

    observed = statistics(of[None, :])[0]
    p = p_values(
        observed,
        lambda rng, b: statistics(subsets(rng, b, len(code), total)),
        share,
        total + table.shape[1],
        rng,
    )
    for one, value, p_value in zip(every, observed, p, strict=True):
        yield Found(one.name, f"world {world}", float(value), float(p_value), one.words(of))


def _order(
    code: Mapping[World, Floats], count: int, share: float, rng: np.random.Generator
) -> Iterator[Found]:
    """Dependence: of each model on the one before, and of model k of a world on model k of the other."""
    n = min(count, MOST_PAIRED)
    centred = [_about_median(code[world][:n]) for world in WORLDS]
    at = coordinates(np.concatenate(centred)).shrunk
    parts = dict(zip(WORLDS, (at[:n], at[n:]), strict=True))
    for world, z in parts.items():
        z = z - z.mean(axis=0)
        gram = z @ z.T

        def follow(order: NDArray[np.intp], gram: Floats = gram) -> Floats:
            return np.asarray(np.abs(gram[order[:, :-1], order[:, 1:]].sum(axis=1)))

        text = "consecutive models are correlated: something is kept from one to the next"
        yield _order_test("consecutive models", f"world {world}", follow, n, share, rng, text)
    cross = parts["P"] @ parts["Q"].T

    def meet(order: NDArray[np.intp]) -> Floats:
        return np.asarray(np.abs(cross[np.arange(n), order].sum(axis=1)))

    text = "model k of one world and of the other are correlated: a seed was used again"
    yield _order_test("between worlds", "both worlds", meet, n, share, rng, text)


def _about_median(models: Floats) -> Floats:
    """Halved, so that differences of any two floats are floats, and about their median."""
    half = models / 2
    return np.asarray(half - np.median(half, axis=0))


def _order_test(
    name: str,
    where: str,
    statistic: Callable[[NDArray[np.intp]], Floats],
    n: int,
    share: float,
    rng: np.random.Generator,
    text: str,
) -> Found:
    observed = statistic(np.arange(n)[None, :])
    p = p_values(observed, lambda rng, b: statistic(orders(rng, b, n))[:, None], share, 2 * n, rng)
    return Found(name, where, float(observed[0]), float(p[0]), text)
