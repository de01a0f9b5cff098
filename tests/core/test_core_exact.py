"""The exact tier decides claims just beside the exact epsilon; brackets, events, orders."""

import math
import random
import time
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from exact_claims import Truth, judge, random_run, rational
from exact_pairs import given, line, proof_of, truth
from flint import arb
from law_runs import tiny

from certaudit.core.balls import ball, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.proof import Proof
from certaudit.core.rule import Refusal, Undecided
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search import e1
from certaudit.search.exact import ExactPair


@pytest.fixture(autouse=True)
def bits():
    with precision(320):
        yield


def pair_of(law, direction="P|Q"):
    return ExactPair(*proof_of(law), direction)


def of_run(run, direction="P|Q"):
    proof = Proof(run)
    return ExactPair(proof, proof.apply("E1", (), e1.witness(run)), direction)


def test_claims_beside_the_exact_epsilon():
    tally = judge(range(8))
    assert tally.wrong == []
    assert tally.open == []
    assert tally.unchecked <= 1


@pytest.mark.statistics
def test_300_claims_beside_the_exact_epsilon():
    tally = judge(range(1000, 1150))
    assert tally.claims == 300
    assert tally.wrong == []
    assert len(tally.open) <= 1, tally.open
    assert tally.unchecked <= 15


@pytest.mark.statistics
def test_128_dimensions_within_10_seconds():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 128)) / np.sqrt(128)
    run = Run(
        X=x,
        y=x @ rng.standard_normal(128) + 0.1 * rng.standard_normal(200),
        loss="ridge",
        l2=F(1, 20),
        normalizer="fixed",
        learn=Phase(200, F(1, 2), F(1, 2500)),
        requests=(Request((3,), Phase(20, F(1, 2), F(1, 2500))),),
        start=Start((F(0),) * 128, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 200),
        release="final",
    )
    begun = time.process_time()
    pair = of_run(run)
    guess = pair.twin.epsilon(math.log(1e-5))
    above = pair.decide(F(guess * (1 + 1e-10)), F(1, 10**5)).statement.delta
    assert above <= ball(F(1, 10**5))
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("digits", [2, 50, 300])
def test_a_shift_by_two_formulas(digits):
    pair = pair_of(given([F(3, 2), F(0)], _unit(2), [F(0)] * 2, _unit(2)))
    delta = F(1, 10**digits)
    found = pair.epsilon(delta)
    assert gaussian_delta(F(3, 2), found.upper) <= ball(delta)
    assert gaussian_delta(F(3, 2), found.low.statement.epsilon) > ball(delta)
    assert found.upper / found.low.statement.epsilon - 1 < F(1, 10**9)


def _unit(d):
    return [[F(int(i == j)) for j in range(d)] for i in range(d)]


@pytest.mark.parametrize("seed", range(6))
def test_several_dimensions(seed):
    """delta at the reference's epsilon, to 14 digits."""
    rng = random.Random(seed)
    while True:
        run = random_run(rng)
        try:
            pair = of_run(run)
            guess = pair.twin.epsilon(-20.0)
        except Refusal:
            continue
        if guess > 0:
            break
    exact = Truth.of(run, "P|Q").epsilon(F(str(math.exp(-20.0))), guess)
    stick = pair.hockey_stick(rational(exact), 16)
    assert abs(stick.statement.delta.log() + 20) < arb("1e-13")


def test_both_directions_share_one_basis():
    proof, law = proof_of(given([F(1), F(0)], [[F(2), F(1)], [F(1), F(3)]], [F(0)] * 2, _unit(2)))
    one, two = (ExactPair(proof, law, direction) for direction in ("P|Q", "Q|P"))
    other = given([F(0)] * 2, _unit(2), [F(1), F(0)], [[F(2), F(1)], [F(1), F(3)]])
    assert one.hockey_stick(F(1)).statement.delta.overlaps(
        pair_of(other, "Q|P").hockey_stick(F(1)).statement.delta
    )
    assert two.hockey_stick(F(1)).statement.delta.overlaps(
        pair_of(other, "P|Q").hockey_stick(F(1)).statement.delta
    )


def test_one_dimension_goes_by_the_quadratic():
    pair = pair_of(line(F(1, 2), F(1)))
    stick = pair.decide(F(1), F(1, 5))
    assert stick.rule == "C6-1d"
    assert stick.statement.delta.overlaps(truth(F(1, 2), F(1), F(1)))


F_SMALL = arb(10) ** -20


def test_equal_laws():
    """No contour, as nothing is left to integrate; an order bounds epsilon."""
    pair = pair_of(given([F(1)] * 2, _unit(2), [F(1)] * 2, _unit(2)))
    assert pair.decide(F(0), F(1, 10**40)).statement.delta <= F_SMALL
    found = pair.epsilon(F(1, 10))
    assert found.low is None
    assert found.upper < F(1, 10**20)
    assert pair.infinite_order() is None
    assert pair.event(F(0), F(1, 10**9)) is None
    assert abs(pair.renyi(F(2)).statement.r) < arb("1e-60")


def test_points_are_decided_in_one_dimension():
    pair = pair_of(given([F(1)], [[F(0)]], [F(2)], [[F(0)]]))
    assert pair.decide(F(5), F(1, 2)).statement.delta == 1


def test_singular_laws_are_refused_in_more():
    flat = [[F(1), F(0)], [F(0), F(0)]]
    pair = pair_of(given([F(1)] * 2, flat, [F(0)] * 2, flat))
    with pytest.raises(Undecided):
        pair.decide(F(1), F(1, 2))
    assert pair.event(F(1), F(1, 2)) is None


def test_events_break_claims():
    pair = pair_of(given([F(3)] * 2, _unit(2), [F(0)] * 2, _unit(2)))
    found = pair.event(F(1), F(9, 10))
    exact = gaussian_delta(arb(18).sqrt(), F(1))
    assert found.rule == "C6-event"
    assert found.statement.delta > arb("0.9")
    assert found.statement.delta <= exact.upper() + arb("1e-9")
    assert pair.event(F(1), F(99, 100)) is None


def test_orders():
    """Finite below 1 + 1/l, infinite above, and found."""
    pair = pair_of(line(F(1, 2), F(1)))
    assert pair.renyi(F(2)).rule == "E3"
    assert pair.renyi(F(4)).statement.r == arb("inf")
    found = pair.infinite_order()
    assert found.rule == "E3-infinite"
    assert 3 < found.statement.order < F(31, 10)
    assert pair.infinite_order(below=F(3)) is None
    assert pair_of(line(F(-1, 2), F(1))).infinite_order() is None


def test_an_upper_bound_by_one_order():
    pair = pair_of(line(F(1, 10), F(1)))
    high = pair.renyi_epsilon(F(1, 10**5))
    assert high.rule == "C3"
    assert high.statement.epsilon > pair.epsilon(F(1, 10**5)).upper


@pytest.mark.parametrize("delta", [F(9, 10), F(1, 1000), F(1, 10**30)])
def test_brackets(delta):
    pair = of_run(tiny(d=3))
    found = pair.epsilon(delta)
    assert found.high.statement.delta <= ball(delta)
    if found.low is None:
        assert found.upper == 0
    else:
        assert found.low.statement.delta > ball(delta)
        assert found.low.statement.epsilon < found.upper


def test_a_claim_with_too_few_digits_stays_open():
    """Equality is decided by no ball: the claim is left open, not guessed."""
    pair = pair_of(line(F(1, 2), F(1)))
    one = pair.hockey_stick(F(1)).statement.delta
    with precision(2000):
        middle = F(int((one.mid() * arb(2) ** 1500).floor().unique_fmpz()), 2**1500)
    value = pair.decide(F(1), middle).statement.delta
    assert value.contains(ball(middle))


def test_replaying_the_witnesses_gives_the_same():
    pair = of_run(tiny(d=3))
    pair.epsilon(F(1, 10**6))
    again = Proof(pair.proof.run)
    for one in pair.proof.lines:
        copy = again.apply(one.rule, [again.lines[k] for k in one.uses], one.witness)
        assert type(copy.statement) is type(one.statement)
    last = pair.proof.lines[-1]
    assert again.lines[-1].statement.delta.overlaps(last.statement.delta)
    assert replace(last.witness) == last.witness


def test_laws_closer_than_their_stand_in_count_as_equal():
    """Means 2^-320 apart are below what V resolves: no contour is looked for."""
    pair = pair_of(given([F(0), F(1, 2**320)], _unit(2), [F(0), F(0)], _unit(2)))
    line = pair.hockey_stick(F(1, 10**6))
    assert line.rule == "C3"
    assert line.statement.delta <= F_SMALL
