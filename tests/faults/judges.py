"""The halves that must catch a fault, each at LEVEL: the chance that an honest twin is refused."""

from fractions import Fraction as F
from functools import cache

import numpy as np
from scipy import stats

from certaudit.audit.conformance import against_own, models, own, steps
from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.scores.removed_point_loss import RemovedPointLoss
from certaudit.core.balls import precision
from certaudit.core.proof import BITS
from certaudit.search.evidence import Evidence

LEVEL = 1e-3
DELTA = F(1, 1000)


@cache
def law(run_of):
    return Evidence(run_of()).float_law()


@cache
def proved_epsilon(run_of, delta):
    """The exact value of both directions, rounded up: the certificate of an honest issuer."""
    evidence = Evidence(run_of())
    with precision(BITS):
        return max(pair.epsilon(delta).upper for pair in evidence.exact.values())


def conformance(implementation, run_of, budget, seed):
    """Names of the failed checks."""
    found = {w: implementation.models(w, budget, seed) for w in "PQ"}
    report = models.conform(found, law(run_of), LEVEL)
    assert not report.skipped
    return [check.name for check in report.failures]


@cache
def pilot(run_of):
    """A score along the difference of the worlds."""
    return own.direction(run_of(), 11)


def two_samples(implementation, run_of, budget, seed):
    """Names of the failed checks against certaudit's own models, which need no exact law."""
    found = {w: implementation.models(w, budget, seed) for w in "PQ"}
    ours = own.models(run_of(), own.TIMES * budget, 1000 + seed, "float64")
    report = against_own.conform(found, ours, pilot(run_of), LEVEL, seed)
    assert not report.skipped
    return [check.name for check in report.failures]


def trace(implementation, run_of, budget, seed):
    """Names of the failed checks of ``budget`` traces of world P."""
    failed = []
    for k in range(budget):
        recorded = implementation.trace("P", seed + k)
        report = steps.conform(recorded, run_of(), "P", LEVEL / budget)
        failed += [check.name for check in report.failures]
    return list(dict.fromkeys(failed))


def attack(implementation, run_of, budget, seed):
    """The score whose event breaks the certificate, chosen on half the models, tested on the rest."""
    claim = float(proved_epsilon(run_of, DELTA))
    p, q = (implementation.models(w, budget, seed) for w in "PQ")
    half = budget // 2
    best = None
    for score in (RemovedPointLoss(run_of()), LinearDiscriminant()):
        score.fit(p[:half], q[:half])
        first, second = score.score(p[:half]), score.score(q[:half])
        for threshold in np.quantile(np.concatenate([first, second]), np.linspace(0.02, 0.98, 49)):
            for sign in (1, -1):
                rates = [float((sign * s > sign * threshold).mean()) for s in (first, second)]
                for order in ((0, 1), (1, 0)):
                    a, b = (rates[k] for k in order)
                    excess = a - np.exp(claim) * b
                    if best is None or excess > best[0]:
                        best = excess, score, threshold, sign, order
    _, score, threshold, sign, order = best
    hits = [int((sign * score.score(w[half:]) > sign * threshold).sum()) for w in (p, q)]
    a, b = (hits[k] for k in order)
    n = budget - half
    low = stats.beta.ppf(LEVEL / 2, a, n - a + 1) if a else 0.0
    high = stats.beta.ppf(1 - LEVEL / 2, b + 1, n - b) if b < n else 1.0
    return [score.name] if low > np.exp(claim) * high + float(DELTA) else []


JUDGES = {
    "conformance": conformance,
    "own models": two_samples,
    "trace": trace,
    "attack": attack,
}
