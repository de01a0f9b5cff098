"""Shadow pairs to refute a claim about a Gaussian pair (mu = 1, exact epsilon(1e-5) 4.38), in one run.

Medians over audits at confidence 0.95, beside the growth-rate limit log(20)/rate, which no sequential
test beats by more than its overshoot, and beside what a fixed number of shadows needs: the least
number at which Clopper–Pearson bounds of an event chosen on one half refute in half of the audits.
"""

import math
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.scores.log_ratio import LogRatio
from certaudit.audit.scores.quadratic_discriminant import QuadraticDiscriminant
from certaudit.audit.statistics.confidence import choose_event, try_event
from certaudit.audit.statistics.evalue import HockeyStick
from certaudit.audit.statistics.limit import limit, of_gaussian_dp
from certaudit.audit.statistics.sequential import EProcesses, Wealth

DELTA, LEVEL, MU = 1e-5, 0.05, 1.0
AUDITS = int(sys.argv[1]) if len(sys.argv) > 1 else 201
UNIT = np.eye(1)
SCORES = {
    "true log-ratio": lambda: [LogRatio(np.full(1, MU), UNIT, np.zeros(1), UNIT)],
    "linear discriminant, fitted": lambda: [LinearDiscriminant()],
    "both, and the quadratic": lambda: [
        *SCORES["true log-ratio"](),
        LinearDiscriminant(),
        QuadraticDiscriminant(),
    ],
}


def pair(seed, count):
    rng = np.random.default_rng((1, seed))
    return rng.normal(MU, 1, (count, 1)), rng.normal(0, 1, (count, 1))


def sequential(scores, epsilon, seed):
    process = EProcesses(scores(), [Wealth([HockeyStick(epsilon, DELTA, ("P|Q", "Q|P"))], LEVEL)])
    process.extend(*pair(seed, 2500))
    return process.wealths[0].refuted_after or math.inf


def fixed(epsilon, count):
    """Share of audits of ``count`` pairs that refute in either direction."""
    refuted = 0
    for seed in range(AUDITS):
        p, q = (x[:, 0] for x in pair(seed, count))
        half = count // 2
        for first, second in ((p, q), (q, p)):
            event = choose_event(first[:half], second[:half], DELTA, LEVEL / 2)
            trial = try_event(event, first[half:], second[half:], LEVEL / 2)
            if trial.epsilon(DELTA) > epsilon:
                refuted += 1
                break
    return refuted / AUDITS


for epsilon, goal in ((1.09, 300), (0.44, 80)):
    rate = limit([HockeyStick(epsilon, DELTA, ("P|Q", "Q|P"))], of_gaussian_dp(MU))
    print(
        f"claim epsilon {epsilon}: limit {rate:.4f} nats a pair, {math.log(1 / LEVEL) / rate:.0f} pairs"
    )
    for name, scores in SCORES.items():
        start = time.perf_counter()
        after = [sequential(scores, epsilon, seed) for seed in range(AUDITS)]
        spent = (time.perf_counter() - start) / AUDITS
        middle, tail = np.median(after), np.quantile(after, 0.9)
        print(
            f"  {name}: median {middle:.0f}, 9 in 10 by {tail:.0f}, {1000 * spent:.0f} ms an audit; "
            f"median / goal = {middle / goal:.2f}"
        )
    count = next(n for n in range(20, 4000, 20) if fixed(epsilon, n) >= 0.5)
    print(f"  Clopper–Pearson on split halves: {count}")
