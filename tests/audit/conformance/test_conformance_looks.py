"""Looks fixed in advance: sizes and levels, which check is kept, and false alarms when one may stop."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from certaudit.audit.conformance.looks import FIRST, Look, looks, sequential
from certaudit.audit.conformance.result import Check, ConformanceReport


@pytest.mark.parametrize("budget", [1, 8, 31, 32, 33, 64, 100, 1000, 4096, 5000])
def test_looks_end_at_the_budget_and_spend_the_level_once(budget):
    every = list(looks(budget, 0.05))
    sizes = [look.models for look in every]
    assert sizes[-1] == budget
    assert sizes[:-1] == [FIRST * 2**k for k in range(20) if FIRST * 2**k < budget]
    assert sum(look.level for look in every) == pytest.approx(0.05)
    assert every[-1].level == pytest.approx(0.05 if len(every) == 1 else 0.025)


def report(look, *p_values, skipped=""):
    checks = tuple(
        Check(f"check {k}", "world P", 0.0, p, look.level, "", look.models)
        for k, p in enumerate(p_values)
    )
    return ConformanceReport(look.level, look.models, checks, skipped=skipped, compared="compared")


def test_the_first_failure_of_a_check_is_kept_and_else_the_last_look():
    by_size = {32: (0.9, 0.8), 64: (1e-9, 0.7), 100: (0.5, 0.6, 0.4)}
    found = sequential(100, 100, 0.05, lambda look: report(look, *by_size[look.models]))
    kept = {check.name: (check.models, check.p_value) for check in found.checks}
    assert kept == {"check 0": (64, 1e-9), "check 1": (100, 0.6), "check 2": (100, 0.4)}
    assert found.state == "differs"
    assert found.level == 0.05
    assert found.models == 100


def test_only_looks_that_were_planned_are_taken():
    """70 models of 100: the look at 64 is the last."""
    seen = []

    def compare(look):
        seen.append(look)
        return report(look, 0.5)

    found = sequential(70, 100, 0.05, compare)
    assert seen == [Look(32, 0.0125), Look(64, 0.0125)]
    assert found.passed
    assert found.models == 64


def test_too_few_for_the_first_look_is_not_a_pass():
    found = sequential(20, 100, 0.05, lambda look: report(look, 0.5))
    assert found.state == "not checked"
    assert "20 models" in found.skipped


def test_a_look_that_cannot_compare_is_not_a_pass_and_hides_no_failure():
    last = lambda p: (
        lambda look: (
            report(look, p) if look.models < 64 else ConformanceReport(0.1, 64, (), skipped="no")
        )
    )
    assert sequential(100, 100, 0.05, last(0.5)).state == "not checked"
    assert sequential(100, 100, 0.05, last(0.0)).state == "differs"


def test_false_alarms_of_one_who_stops_at_the_worst_look():
    """4000 audits of a normal mean that look at 32, ..., 1000 models, all of them: what an audit that
    stops wherever it likes can suffer.  The bound fails falsely with probability below 1e-6."""
    level, rng = 0.2, np.random.default_rng(1)
    numbers = rng.normal(size=(4000, 1000))
    alarms = np.zeros(4000, dtype=bool)
    for look in looks(1000, level):
        z = numbers[:, : look.models].sum(axis=1) / look.models**0.5
        alarms |= 2 * norm.sf(np.abs(z)) <= look.level
    assert alarms.sum() <= binom.isf(1e-6, 4000, level)
    assert alarms.sum() >= binom.isf(1 - 1e-6, 4000, level / 2)
