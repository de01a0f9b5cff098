"""What audits are said to see beforehand, against simulated audits; the command that says it."""

import math
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest

from certaudit.audit.scores.linear_discriminant import LinearDiscriminant
from certaudit.audit.statistics.evalue import log_e
from certaudit.audit.statistics.forecast import ceiling, forecast, power
from certaudit.audit.statistics.limit import of_gaussian_dp
from certaudit.audit.statistics.nulls import nulls
from certaudit.audit.statistics.power import count_power, gaussian_epsilon
from certaudit.audit.statistics.sequential import EProcesses, Wealth
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.cli import main

SPECS = Path(__file__).parents[3] / "specs"
CLAIM = EpsilonDelta("e", F(109, 100), F(1, 10**5))


def refuted_after(claim, mu, seed, pairs, level):
    rng = np.random.default_rng((31, seed))
    process = EProcesses([LinearDiscriminant()], [Wealth(nulls(claim, float(claim.epsilon)), level)])
    process.extend(rng.normal(mu, 1, (pairs, 1)), rng.normal(0, 1, (pairs, 1)))
    return process.wealths[0].refuted_after or math.inf


def test_pairs_needed_are_what_simulation_needs():
    """41 audits with a fitted score: the median lies between the limit and twice the forecast."""
    found = forecast(CLAIM, of_gaussian_dp(1.0), 0.05)
    assert found.least == pytest.approx(137, abs=2)
    median = np.median([refuted_after(CLAIM, 1.0, k, 1000, 0.05) for k in range(41)])
    assert 0.7 * found.least < median < 2 * found.typical
    (event,) = (e for e in found.events if e.direction == "P|Q")
    assert event.first == pytest.approx(0.278, abs=0.01)


def test_the_smallest_value_seen_is_refuted_four_times_in_five():
    """30 audits at the smallest value and at half its mu: at least 18 refute, and at most 6."""
    pairs, level = 400, 0.05
    smallest = power(CLAIM, pairs, level).smallest
    mu = next(m for m in np.linspace(0.1, 4, 400) if gaussian_epsilon(m, 1e-5) >= smallest)
    hits = [
        sum(refuted_after(CLAIM, m, k, pairs, level) <= pairs for k in range(30)) for m in (mu, mu / 2)
    ]
    assert hits[0] >= 18
    assert hits[1] <= 6


def test_a_true_claim_needs_no_number_of_pairs():
    found = forecast(EpsilonDelta("e", F(5), F(1, 10**5)), of_gaussian_dp(1.0), 0.05)
    assert found.least is None
    assert found.typical is None


@pytest.mark.parametrize("directions", [("P|Q", "Q|P"), ("P|Q",)])
@pytest.mark.parametrize("pairs", [8, 300])
@pytest.mark.parametrize("kind", ["epsilon", "slack", "mu", "renyi"])
def test_no_bet_passes_the_ceiling(kind, pairs, directions):
    """Perfectly told-apart shadows, bets tuned on just that: a claim at the ceiling survives."""
    level = 0.05
    make = {
        "epsilon": lambda v: EpsilonDelta("c", v, F(1, 10**5), directions),
        "slack": lambda v: EpsilonDelta("c", v, F(1, 5), directions),
        "mu": lambda v: GaussianClaim("c", v, F(0), directions),
        "renyi": lambda v: RenyiClaim("c", F(2), v, directions),
    }[kind]
    most = ceiling(make(F(1)), pairs, level)
    if not most > 0:
        return
    past = of_gaussian_dp(16.0)
    apart = np.array([700.0])
    for null in nulls(make(F(1)), most * 1.0001 + 1e-6):
        assert pairs * log_e(null.bet(past), apart, -apart)[0] <= math.log(1 / level) + 1e-6
    if kind == "epsilon":
        (null,) = nulls(make(F(1)), 0.8 * most)
        assert pairs * log_e(null.bet(past), apart, -apart)[0] >= math.log(1 / level)


def test_counts_have_a_ceiling_too():
    assert count_power(0.999, 10, 0.05).smallest is None
    assert 0.01 < count_power(0.01, 1000, 0.05).smallest < 0.05


def test_the_command_says_what_is_needed_and_what_is_not_seen(capsys):
    assert main(["power", str(SPECS / "ridge-calibration-leak.yaml"), "--shadows", "1000"]) == 0
    printed = capsys.readouterr().out
    assert "shadow pairs refute it" in printed
    assert "the budget of 1000 pairs is enough" in printed
    assert "optimal event, P|Q" in printed
    assert "what no audit of this kind can see" in printed
    assert "blind: 1000 pairs refute no claim above" in printed


def test_the_command_without_an_exact_law_asks_for_an_epsilon(capsys):
    spec = str(SPECS / "logistic-langevin.yaml")
    assert main(["power", spec, "--claim", "issued"]) == 0
    assert "suppose a value with --epsilon" in capsys.readouterr().out
    assert main(["power", spec, "--claim", "issued", "--epsilon", "8"]) == 0
    assert "if the laws are a Gaussian pair with ε = 8 at δ = 1e-05" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--epsilon", "0"],
        ["--epsilon", "nan"],
        ["--epsilon", "x"],
        ["--shadows", "7"],
        ["--claim", "no"],
    ],
)
def test_bad_arguments_of_the_command_are_exit_2(arguments, capsys):
    try:
        code = main(["power", str(SPECS / "logistic-langevin.yaml"), *arguments])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err
