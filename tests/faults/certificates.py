"""Faults of certificates: what was issued, and for which run.  Each has an honest twin."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction as F
from functools import cache
from pathlib import Path

import numpy as np
from fault_runs import LEARN, LEFT, UNLEARN, N, logistic, ridge

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.core.balls import ball, precision, upper
from certaudit.core.proof import BITS
from certaudit.core.rules.exceedance import Witness
from certaudit.run import Clip, Reference, Request, Run
from certaudit.search.evidence import Evidence
from certaudit.search.exact import ExactPair
from certaudit.search.verify import verify
from certaudit.verdict import Status

sys.path.insert(0, str(Path(__file__).parents[1]))  # for fault_table.py as a script
from given_laws import given_law

DELTA = F(1, 10**5)


@dataclass(frozen=True)
class CertificateFault:
    """``issued()`` gives (run or laws, claim issued for it), ``honest()`` what it should have been."""

    name: str
    wrong: str
    expect: Status
    issued: Callable
    honest: Callable


CERTIFICATES = []


def certificate(name, wrong, expect=Status.REFUTED):
    def keep(make):
        both = cache(make)
        pair = lambda k: lambda: both()[k]
        CERTIFICATES.append(CertificateFault(name, wrong, expect, pair(0), pair(1)))
        return make

    return keep


def epsilon(run, delta=DELTA, directions=("P|Q", "Q|P")):
    """A proved upper end of the exact epsilon: what an issuer with the best proof would write."""
    evidence = Evidence(run)
    with precision(BITS):
        return max(evidence.exact[d].epsilon(delta).upper for d in directions)


def renyi(run, order):
    evidence = Evidence(run)
    with precision(BITS):
        return max(upper(p.renyi(order).statement.r) for p in evidence.exact.values())


def unlearning(steps=8, variance=UNLEARN.noise_variance):
    phase = replace(UNLEARN, steps=steps, noise_variance=variance)
    return ridge(requests=(Request((LEFT,), phase),))


def issued_for(certified, real, delta=DELTA):
    """The certificate of one run given to another; the honest one is the real run's own."""
    return (
        (real, EpsilonDelta("c", epsilon(certified, delta), delta)),
        (real, EpsilonDelta("c", epsilon(real, delta), delta)),
    )


@certificate("k-one-too-few", "certified for K steps, the run makes K - 1")
def _():
    return issued_for(unlearning(8), unlearning(7))


@certificate("early-stopping-certified", "certified for K steps, the run stops at a quarter")
def _():
    return issued_for(unlearning(8), unlearning(2))


@certificate("sigma-convention", "certified with sigma = s sqrt(2 eta), the run adds s")
def _():
    return issued_for(unlearning(variance=UNLEARN.noise_variance * 2 * UNLEARN.step_size), unlearning())


@certificate("variance-for-std-certified", "certified with the standard deviation for the variance")
def _():
    return issued_for(unlearning(variance=F(1, 10)), unlearning())


@certificate("output-noise-forgotten", "certified with noise on the output, none is added")
def _():
    return issued_for(ridge(output_variance=F(1, 4)), ridge())


@certificate("delta-of-another-n", "epsilon at delta = 1/24 issued with delta = 1/1797")
def _():
    run, n = ridge(), F(1, 1797)
    return (
        (run, EpsilonDelta("c", epsilon(run, F(1, N)), n)),
        (run, EpsilonDelta("c", epsilon(run, n), n)),
    )


@certificate("one-direction", "epsilon of one direction issued for both")
def _():
    run = unlearning(1)
    ends = [epsilon(run, directions=(way,)) for way in ("P|Q", "Q|P")]
    return tuple((run, EpsilonDelta("c", one, DELTA)) for one in (min(ends), max(ends)))


@certificate("order-mismatch", "the Renyi bound of order 2 issued for order 8")
def _():
    run = ridge()
    return tuple((run, RenyiClaim("c", F(8), renyi(run, order))) for order in (F(2), F(8)))


@certificate("alpha-forgotten", "the bound lacks its factor alpha")
def _():
    run = ridge()
    value = renyi(run, F(8))
    return (run, RenyiClaim("c", F(8), value / 8)), (run, RenyiClaim("c", F(8), value))


@certificate("alpha-for-alpha-minus-1", "MIR17 divides by alpha where alpha - 1 belongs")
def _():
    run = unlearning(1)
    orders = [F(k, 8) for k in range(9, 40)]
    values = {a: renyi_or_none(run, a) for a in orders}
    known = {a: r for a, r in values.items() if r is not None}
    logarithm = upper(-ball(DELTA).log())
    wrong = min(r + logarithm / a for a, r in known.items())
    right = min(r + logarithm / (a - 1) for a, r in known.items())
    return (run, EpsilonDelta("c", wrong, DELTA)), (run, EpsilonDelta("c", right, DELTA))


def renyi_or_none(run, order):
    try:
        return renyi(run, order)
    except (ValueError, OverflowError):
        return None


@certificate("no-union-bound", "each step's residual bound holds at delta, the sum needs delta / T")
def _():
    run, step = ridge(), 20
    share = DELTA / LEARN.steps
    evidence = Evidence(run)

    def tails(shift):
        asked = Witness(step, shift)
        lines = [
            evidence.proof.apply("exceedance", (law,), asked) for law in evidence.residuals.values()
        ]
        return [line.statement.probability for line in lines]

    def least(probability):
        """The least sensitivity, nearly, that the step's exact tail keeps at ``probability``."""
        with precision(BITS):
            low, high = F(0), F(4)
            for _ in range(24):
                middle = (low + high) / 2
                within = all(tail <= ball(probability) for tail in tails(middle))
                low, high = (low, middle) if within else (middle, high)
        return high

    return tuple((run, SensitivityClaim("c", step, least(p), share)) for p in (DELTA, share))


@certificate("mu-without-slack", "a bare mu for ridge, whose Renyi curve ends at a finite order")
def _():
    run = ridge()
    return (run, GaussianClaim("c", F(50), F(0))), (run, GaussianClaim("c", F(50), DELTA))


@certificate("group-as-one", "certified for one removed row, two were removed")
def _():
    two = ridge(requests=(Request((LEFT, 6), UNLEARN),))
    two = replace(two, y=doubled(two.y, 6))
    one = replace(two, requests=(Request((LEFT,), UNLEARN),))
    return issued_for(one, two)


def doubled(y, row):
    out = y.copy()
    out[row] = -4.0
    return out


@certificate("second-request-as-first", "the first request's epsilon issued for the second")
def _():
    run = ridge(requests=(Request((6,), UNLEARN), Request((LEFT,), UNLEARN)))
    return issued_for(run.after(1), run)


@certificate(
    "calibration-leak", "certified with the run's own noise in the reference, which has another"
)
def _():
    return issued_for(ridge(), ridge(reference=Reference("unlearn-retrained", 30, F(1, 90))))


@certificate("retrained-for-t", "certified against T + K retraining steps, compared with T = 3")
def _():
    return issued_for(ridge(), ridge(reference=Reference("retrained", 3)))


@certificate("normalizer", "certified with N = n fixed, the run divides by the batch's sum")
def _():
    small = replace(LEARN, step_size=F(1, 30)), replace(UNLEARN, step_size=F(1, 30))
    changes = {"learn": small[0], "requests": (Request((LEFT,), small[1]),)}
    return issued_for(ridge(**changes), ridge(normalizer="sum", **changes))


@certificate("underflow", "1 - erf underflows, so delta = 1e-300 was thought reached")
def _():
    run, tiny = ridge(), F(1, 10**300)
    value = epsilon(run, F(1, 10**18))
    return (
        (run, EpsilonDelta("c", value, tiny)),
        (run, EpsilonDelta("c", value, F(1, 10**18))),
    )


@certificate("negative-slack", "an epsilon of 0 at delta = 1e-5 from a conversion that went below 0")
def _():
    run = ridge()
    return (run, EpsilonDelta("c", F(0), DELTA)), (run, EpsilonDelta("c", epsilon(run), DELTA))


@certificate(
    "clip-inside-certified",
    "strong convexity assumed, the clip holds the regularizer",
    Status.PREMISE_FAILED,
)
def _():
    claim = EpsilonDelta("c", F(1, 100), DELTA, theorem="chien-2024a")
    run = logistic(clip=Clip(F(1, 4), True))
    return (run, claim), (logistic(), EpsilonDelta("c", F(40), DELTA))


@certificate("row-norms-assumed", "rows of norm at most 1 assumed, one is longer", Status.PREMISE_FAILED)
def _():
    run = logistic()
    long = run.X.copy()
    long[0] *= 2
    claim = EpsilonDelta("c", F(1, 10**6), DELTA, theorem="chien-2024a")
    return (replace(run, X=long), claim), (run, EpsilonDelta("c", F(40), DELTA))


def replaced(y_new):
    """(proof, line): the laws when row LEFT's target is replaced at the deletion, and always was."""
    run = ridge()
    new = run.y.copy()
    new[LEFT] = y_new
    A = np.eye(run.d) - 0.8 * (run.X.T @ run.X / run.n + 0.2 * np.eye(run.d))
    laws = []
    for first in (run.y, new):
        mean, covariance = np.ones(run.d), np.zeros((run.d, run.d))
        for y, steps in ((first, LEARN.steps), (new, UNLEARN.steps)):
            for _ in range(steps):
                mean = A @ mean + 0.8 * run.X.T @ y / run.n
                covariance = A @ covariance @ A.T + 0.01 * np.eye(run.d)
        covariance = (covariance + covariance.T) / 2
        laws += [[F(v) for v in mean], [[F(v) for v in row] for row in covariance]]
    return given_law(*laws)


def ends(law):
    """Proved (lower, upper) ends of epsilon at DELTA of two laws (proof, line), both directions."""
    with precision(BITS):
        found = [ExactPair(*law, way).epsilon(DELTA) for way in ("P|Q", "Q|P")]
    lows = [end.low.statement.epsilon for end in found if end.low is not None]
    return max(lows, default=F(0)), max(end.upper for end in found)


@certificate("replacement-as-deletion", "the removed row is replaced, certified as a deletion")
def _():
    law = replaced(4.0)
    return (
        (law, EpsilonDelta("c", epsilon(ridge()), DELTA)),
        (law, EpsilonDelta("c", ends(law)[1], DELTA)),
    )


def judge(subject, claim):
    """The formal half's status of a claim on a run, or on two laws given outright."""
    if isinstance(subject, Run):
        return verify(Evidence(subject), [claim])[0].status
    low, high = ends(subject)
    if low > claim.epsilon:
        return Status.REFUTED
    return Status.PROVED if high <= claim.epsilon else Status.NOT_PROVED
