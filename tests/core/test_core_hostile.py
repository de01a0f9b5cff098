"""Witnesses and parameters from an adversary: refused, or harmless."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from given_laws import given_pair
from hostile_runs import plain

from certaudit.core.balls import precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.proof import BITS, Proof
from certaudit.core.rule import NotApplicable, Nothing, PremiseFailed, Undecided
from certaudit.core.rules import RULES, c5_cover, c6, c6_1d, c6_event, e3, r1
from certaudit.run import Start
from certaudit.search.evidence import Evidence


@pytest.fixture(autouse=True)
def bits():
    with precision(BITS):
        yield


def shifts(rule, run, last=None):
    """The line of S1, S2 or S1-drift."""
    return Proof(run).apply(rule, (), RULES[rule].witness(last))


@pytest.mark.parametrize("rule", ["S2", "S1", "S1-drift"])
@pytest.mark.parametrize("last", [0, -3])
def test_a_restart_after_the_end_is_refused(rule, last):
    with pytest.raises(NotApplicable):
        shifts(rule, plain(), last)


@pytest.mark.parametrize("rule", ["S2", "S1", "S1-drift"])
@pytest.mark.parametrize("last", [F(3), 3.0, "3"])
def test_a_restart_after_no_number_of_steps_is_refused(rule, last):
    with pytest.raises(NotApplicable):
        shifts(rule, plain(), last)


def test_a_restart_before_any_projection_is_refused():
    with pytest.raises(PremiseFailed):
        shifts("S2", plain(), 25)


def shifted_pair():
    return given_pair([1], [[F(13, 10)]], [0], [[1]])


def line_witness(epsilon=F(1, 2), line=F(1), width=F(1, 2), h=F(1, 10), n=90):
    return c6.Witness(epsilon, F(1, 10**6), line, width, h, n, 192)


def test_a_fair_line_is_accepted():
    pair = shifted_pair()
    delta = pair.proof.apply("C6", (pair.pair(),), line_witness(h=F(1, 4), n=80)).statement.delta
    assert delta.overlaps(pair.hockey_stick(F(1, 2)).statement.delta)
    assert 0 < delta < 1


@pytest.mark.parametrize(
    ("line", "width", "h", "n"),
    [
        (F(-1, 2), F(1, 4), F(1, 10), 90),
        (F(-3, 2), F(1, 4), F(1, 10), 90),
        (F(1), F(1, 2), F(-1, 10), 90),
        (F(1), F(1, 2), F(0), 90),
        (F(1), F(2), F(1, 10), 90),
        (F(1), F(-1), F(1, 10), 90),
        (F(3), F(1, 2), F(1, 10), 90),
        (F(4), F(1, 2), F(1, 10), 90),
        (F(1), F(1, 2), F(1, 10), 0),
        (F(1), F(1, 2), F(1, 10), -1),
        (F(1), F(1, 2), F(1, 10), 10**9),
    ],
)
def test_contours_outside_the_domain_are_refused(line, width, h, n):
    pair = shifted_pair()
    with pytest.raises(Undecided):
        pair.proof.apply("C6", (pair.pair(),), line_witness(line=line, width=width, h=h, n=n))


def test_levels_and_orders_outside_the_definitions_are_refused():
    pair = shifted_pair()
    shape = pair.diagonal.witness(0.0)
    for order in (F(-2), F(0), F(1)):
        with pytest.raises(NotApplicable):
            pair.proof.apply("E3", (pair.law,), e3.Witness("P|Q", order, shape.vectors, shape.l))
    with pytest.raises(Undecided):
        pair.proof.apply("C6-event", (pair.law,), c6_event.Witness("P|Q", F(-1), (F(1),), F(0)))
    with pytest.raises(Undecided):
        pair.proof.apply("C6-1d", (pair.law,), c6_1d.Witness("P|Q", F(-1)))
    with pytest.raises(Undecided):
        pair.proof.apply("C6", (pair.pair(),), line_witness(epsilon=F(-1), h=F(1, 4), n=80))
    with pytest.raises(ValueError, match="negative"):
        gaussian_delta(F(0), F(-1))
    evidence = Evidence(plain())
    gaussian = evidence.deterministic[0].lines[0]
    with pytest.raises(Undecided):
        evidence.proof.apply("R1", (gaussian,), r1.Witness(F(-3)))


def test_composition_needs_one_output_noise():
    reference = dataclasses.replace(plain().reference, output_variance=F(100))
    run = plain(reference=reference, output_variance=F(1), release="every-step")
    same = dataclasses.replace(run, reference=plain().reference)
    for case, refused in ((run, True), (same, False)):
        proof = Proof(case)
        shifted = proof.apply("S2", (), RULES["S2"].witness(None))
        if refused:
            with pytest.raises(NotApplicable):
                proof.apply("I2", (shifted,), Nothing())
        else:
            assert proof.apply("I2", (shifted,), Nothing()).statement.observer == "every-step"


def test_covers_do_not_mix_observers():
    run = plain(loss="ridge", projection=None)
    pair = Evidence(run).exact["P|Q"]
    sticks = [pair.hockey_stick(level).statement for level in (F(0), F(50))]
    witness = c5_cover.Witness(F(100), F(1, 10))
    assert c5_cover.RULE.apply(run, tuple(sticks), witness).statement.observer == "final"
    sticks[1] = dataclasses.replace(sticks[1], observer="every-step")
    with pytest.raises(NotApplicable):
        c5_cover.RULE.apply(run, tuple(sticks), witness)


def test_other_labels_have_another_slope():
    with pytest.raises(PremiseFailed):
        shifts("S2", plain(y=np.full(6, 50.0)))


def test_a_start_outside_the_ball_keeps_the_logistic_slope():
    run = plain(start=Start((F(5),), F(0)))
    (count, first), *_ = shifts("S2", run).statement.shifts
    assert count == 20
    assert abs(first - arb(1) / 12) < arb("1e-60")
    with pytest.raises(PremiseFailed):
        shifts("S2", dataclasses.replace(run, loss="ridge"))
