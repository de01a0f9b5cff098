"""Where the exact tier leaves a bracket: a floor above a claim refutes it, and nothing need contract."""

import random
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certaudit.claims import EpsilonDelta, RenyiClaim
from certaudit.core.balls import precision
from certaudit.core.proof import BITS
from certaudit.core.rule import Undecided
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search.evidence import Evidence
from certaudit.search.exact import ExactPair
from certaudit.search.verify import verify
from certaudit.verdict import Status

SHARES = (1 - F(1, 10**9), F(99, 100), F(1, 3), F(1, 1000), F(1, 10**6))


def scaled_run(seed):
    """A ridge run whose columns, noise and reference differ in scale by orders of magnitude."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    d = chance.choice([1, 2, 2, 3, 4])
    n = chance.randint(d + 1, 8)
    X = rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-2, 1, size=(1, d))
    l2 = F(chance.choice([1, 10, 100]), 1000)
    top = np.linalg.eigvalsh(X.T @ X)[-1] / n
    longest = min(1 / (top + float(l2)), 50)
    step = max(F(longest * chance.uniform(0.3, 1.9)).limit_denominator(1000), F(1, 1000))
    noise = F(10) ** chance.randint(-3, 3)
    steps, unlearning = chance.randint(1, 50), chance.randint(1, 40)
    retrained = chance.random() < 0.4
    return Run(
        X=X,
        y=rng.normal(size=n),
        loss="ridge",
        l2=l2,
        normalizer=chance.choice(["fixed", "current"]),
        learn=Phase(steps, step, noise * chance.choice([F(0), F(1), F(1, 10**6)])),
        requests=(Request((0,), Phase(unlearning, step, noise)),),
        start=Start((F(0),) * d, F(0)),
        projection=None,
        clip=None,
        reference=Reference(
            "retrained" if retrained else "unlearn-retrained",
            chance.randint(1, 60) if retrained else steps,
        ),
        release=chance.choice(["final", "every-step"]),
    )


def floors_refute(run, delta):
    """Every claim below a floor that is printed, itself printed beside a verdict of refuted."""
    evidence = Evidence(run)
    found = 0
    for claim in (EpsilonDelta("e", F(10**6), delta), RenyiClaim("r", F(3, 2), F(10**6))):
        (wide,) = verify(evidence, [claim])
        for floor in {bound.floor for bound in wide.bounds if bound.floor}:
            for share in SHARES:
                if isinstance(claim, EpsilonDelta):
                    below = EpsilonDelta("e", floor * share, delta)
                else:
                    below = RenyiClaim("r", claim.order, floor * share)
                (verdict,) = verify(evidence, [below])
                printed = max(bound.floor or 0 for bound in verdict.bounds)
                assert printed >= floor * share
                assert verdict.status is Status.REFUTED
                found += 1
    return found


@pytest.mark.parametrize(("seed", "delta"), [(1085, F(1, 100)), (1334, F(1, 100)), (1394, F(1, 10**5))])
def test_a_floor_refutes_where_the_integral_is_out_of_reach(seed, delta):
    assert floors_refute(scaled_run(seed), delta) > 0


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([F(1, 10), F(1, 1000), F(1, 10**5)]))
def test_a_floor_above_a_claim_refutes_it(seed, delta):
    floors_refute(scaled_run(seed), delta)


def out_of_reach(*_):
    raise Undecided("C7", "out of reach")


@pytest.mark.parametrize("undecided", ["P|Q", "Q|P"])
def test_one_direction_refutes_though_the_other_is_undecided(monkeypatch, undecided):
    decide = ExactPair.decide

    def sometimes(self, epsilon, delta):
        if self.direction == undecided:
            out_of_reach()
        return decide(self, epsilon, delta)

    monkeypatch.setattr(ExactPair, "decide", sometimes)
    monkeypatch.setattr(ExactPair, "event", lambda *_: None)
    monkeypatch.setattr(
        ExactPair, "epsilon", lambda *_: (_ for _ in ()).throw(Undecided("C7", "likewise"))
    )
    claim = EpsilonDelta("e", F(1, 10**6), F(1, 10**6))
    (verdict,) = verify(Evidence(scaled_run(1157)), [claim])
    assert verdict.status is Status.REFUTED


def expanding_run(loss):
    """Four steps beyond 2/L, then three more."""
    run = scaled_run(1)
    top = np.linalg.eigvalsh(run.X.T @ run.X)[-1] / run.n
    phase = Phase(4, F((3 if loss == "ridge" else 12) / top).limit_denominator(1000), F(1))
    return replace(
        run,
        y=run.y if loss == "ridge" else np.sign(run.y),
        loss=loss,
        normalizer="fixed",
        learn=phase,
        requests=(Request((0,), replace(phase, steps=3)),),
        reference=Reference("unlearn-retrained", 4),
        release="final",
    )


@pytest.fixture
def true_claim(monkeypatch):
    """A true claim about the ridge run, hardly above its exact epsilon, and no integral to prove it."""
    delta = F(1, 1000)
    with precision(BITS):
        pairs = Evidence(expanding_run("ridge")).exact.values()
        epsilon = max(pair.epsilon(delta).upper for pair in pairs)

    monkeypatch.setattr(ExactPair, "hockey_stick", out_of_reach)
    return EpsilonDelta("true", epsilon * F(1001, 1000), delta)


def test_an_exact_law_needs_no_contraction(true_claim):
    (verdict,) = verify(Evidence(expanding_run("ridge")), [true_claim])
    assert verdict.status is Status.NOT_PROVED
    assert not verdict.failed


@pytest.mark.parametrize(("loss", "theorem"), [("ridge", "benarroch-2026"), ("logistic", None)])
def test_contraction_is_missed_where_a_proof_needs_it(true_claim, loss, theorem):
    claim = replace(true_claim, theorem=theorem)
    (verdict,) = verify(Evidence(expanding_run(loss)), [claim])
    assert verdict.status is Status.PREMISE_FAILED
    assert {one.premise.name for one in verdict.failed} == {"step size"}
