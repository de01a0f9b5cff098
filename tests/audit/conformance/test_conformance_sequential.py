"""Models against the exact law at several looks: a fault of one size found and missed, false alarms."""

import numpy as np
import pytest
from scipy.stats import binom

from certaudit.audit.conformance.looks import sequential
from certaudit.audit.conformance.models import conform
from certaudit.audit.statistics.power import gaussian_mu

D = 10
CLAIMED, TRUE = (gaussian_mu(epsilon, 1e-5) for epsilon in (0.6, 1.57))
LAW = (np.eye(D)[0] * CLAIMED, np.eye(D), np.zeros(D), np.eye(D))
"""Worlds whose epsilon at 1e-5 is 0.6, as the certificate says."""


def audit(seed, budget, level, mu=CLAIMED, d=D):
    """Models of code whose world P lies at ``mu``."""
    rng = np.random.default_rng([71, *np.atleast_1d(seed)])
    law = (LAW[0][:d], LAW[1][:d, :d], LAW[2][:d], LAW[3][:d, :d])
    p, q = rng.normal(size=(2, budget, d))
    p[:, 0] += mu
    return sequential(
        budget,
        budget,
        level,
        lambda at: conform({"P": p[: at.models], "Q": q[: at.models]}, law, at.level),
    )


def caught(budget, audits=40, level=0.05):
    """Of code whose epsilon is 1.57: by all the checks, and without the directed mean."""
    reports = [audit(seed, budget, level, TRUE) for seed in range(audits)]
    others = [any(c.name != "directed mean" for c in report.failures) for report in reports]
    return sum(report.differs for report in reports), sum(others)


def test_code_of_epsilon_1_57_under_a_claim_of_0_6():
    """All audits of 1000 models see it; of 256 models most do, by the mean along the worlds' difference,
    and without it less than two in three."""
    assert caught(1000) == (40, 40)
    together, without = caught(256)
    assert together >= 26
    assert without <= 26
    assert together >= without + 6


@pytest.mark.parametrize("budget", [40, 300])
def test_false_alarms_of_all_the_looks(budget):
    """150 audits at 0.2; the bound fails falsely with probability at most 1e-6."""
    count = sum(audit(seed, budget, 0.2, d=4).differs for seed in range(150))
    assert count <= binom.isf(1e-6, 150, 0.2)


@pytest.mark.statistics
@pytest.mark.parametrize(("budget", "d"), [(64, 1), (256, 4), (1000, 10)])
@pytest.mark.parametrize("level", [0.025, 0.2])
def test_false_alarms_of_all_the_looks_over_many_audits(budget, d, level):
    """2000 honest audits each; a bound fails falsely with probability at most 1e-6."""
    count = sum(audit((seed, d, budget), budget, level, d=d).differs for seed in range(2000))
    most = binom.isf(1e-6, 2000, level)
    print(f"level {level}, {budget} models, {d} parameters: {count} alarms in 2000, at most {most:.0f}")
    assert count <= most
