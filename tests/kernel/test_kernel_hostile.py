"""Hints and parameters from an adversary: refused, or harmless."""

import dataclasses
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.kernel import decide, schedule
from certaudit.kernel.balls import precision
from certaudit.kernel.conversion import gaussian_delta, renyi_of_gaussian
from certaudit.kernel.hockey_stick import C6, half_space, hockey_stick
from certaudit.kernel.iteration import I1, composition
from certaudit.kernel.law import given_law
from certaudit.kernel.pair import exact_renyi, whiten
from certaudit.kernel.sensitivity import bounded_drift, per_instance, worst_case
from certaudit.kernel.statement import NotApplicable, PremiseFailed, Undecided
from certaudit.prove.evidence import BITS, Evidence
from certaudit.prove.verify import verify
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.verdict import Status

SINGLES = tuple((j,) for j in range(6))
CLAIMS = [
    EpsilonDelta("a", F(1), F(1, 10**5)),
    RenyiClaim("r", F(2), F(1, 10)),
    GaussianClaim("g", F(1, 5), F(0)),
]


def line_run(learn, unlearn, reference, **changes):
    """Six points at x = 1 with labels 1, 1, 1, -1, -1, -1: which batch comes when is all that counts."""
    base = Run(
        X=np.ones((6, 1)),
        y=np.array([1.0, 1, 1, -1, -1, -1]),
        loss="logistic",
        l2=F(1, 10),
        normalizer="fixed",
        learn=learn,
        requests=(Request((0,), unlearn),),
        start=Start((F(0),), F(0)),
        projection=None,
        clip=None,
        reference=reference,
        release="final",
    )
    return dataclasses.replace(base, **changes)


@pytest.mark.parametrize("release", ["final", "every-step"])
def test_worlds_on_other_batches_are_not_coupled(release):
    """P unlearns on one row a step while Q still learns on all: the two are 18 standard deviations
    apart, though every row P's steps hold is in Q's as well."""
    variance = F(1, 10**4)
    run = line_run(
        Phase(1, F(1, 2), variance),
        Phase(51, F(1, 2), variance, SINGLES),
        Reference("retrained", 52),
        release=release,
    )
    assert {v.status for v in verify(Evidence(run), CLAIMS)} == {Status.NOT_PROVED}
    with pytest.raises(NotApplicable):
        schedule.whole(I1, run)


def test_a_restart_does_not_couple_cycles_out_of_step():
    """P is 3 batches into the cycle when Q is at its start."""
    variance = F(1, 10**4)
    run = line_run(
        Phase(120, F(1, 2), variance, SINGLES),
        Phase(117, F(1, 2), variance, SINGLES),
        Reference("retrained", 120),
        projection=F(1),
    )
    assert {v.status for v in verify(Evidence(run), CLAIMS)} == {Status.NOT_PROVED}


def plain(**changes):
    return line_run(
        Phase(20, F(1, 2), F(1, 100)),
        Phase(5, F(1, 2), F(1, 100)),
        Reference("unlearn-retrained", 20),
        projection=F(1),
        **changes,
    )


@pytest.mark.parametrize("rule", [per_instance, worst_case, bounded_drift])
@pytest.mark.parametrize("last", [0, -3])
def test_a_restart_after_the_end_is_refused(rule, last):
    with precision(BITS), pytest.raises(TypeError):
        rule(plain(), last)


def test_a_restart_before_any_projection_is_refused():
    with precision(BITS), pytest.raises(PremiseFailed):
        per_instance(plain(), 25)


def shifted_pair():
    return whiten(given_law([1], [[F(13, 10)]], [0], [[1]]), "P|Q")


@pytest.mark.parametrize(
    ("line", "width", "height", "keep"),
    [
        (F(-1, 2), F(1, 4), F(9), 1),
        (F(-3, 2), F(1, 4), F(9), 1),
        (F(1), F(1, 2), F(-200), 1),
        (F(1), F(2), F(9), 1),
        (F(1), F(-1), F(9), 1),
        (F(1), F(1, 2), F(9), 0),
    ],
)
def test_contours_outside_the_domain_are_refused(line, width, height, keep):
    with precision(BITS), pytest.raises(Undecided):
        hockey_stick(shifted_pair(), F(1, 2), line, width, height, 100, 20, keep)


def test_levels_and_orders_outside_the_definitions_are_refused():
    with precision(BITS):
        pair = shifted_pair()
        for order in (F(-2), F(0), F(1)):
            with pytest.raises(TypeError):
                exact_renyi(pair, order)
        with pytest.raises(TypeError):
            half_space(pair, F(-1), F(0))
        with pytest.raises(TypeError):
            hockey_stick(pair, F(-1), F(1), F(1, 2), F(9), 100, 20, 1)
        with pytest.raises(ValueError, match="negative"):
            gaussian_delta(F(0), F(-1))
        gaussian = Evidence(plain()).deterministic[0].statements[0]
        with pytest.raises(TypeError):
            renyi_of_gaussian(gaussian, F(-3))


def test_composition_needs_one_output_noise():
    reference = Reference("unlearn-retrained", 20, output_variance=F(100))
    run = dataclasses.replace(plain(), reference=reference, output_variance=F(1), release="every-step")
    with precision(BITS), pytest.raises(NotApplicable):
        composition(per_instance(run))


def test_covers_do_not_mix_observers():
    with precision(BITS):
        pair = Evidence(dataclasses.replace(plain(), loss="ridge", projection=None)).exact["P|Q"]
        sticks = [pair.hockey_stick(F(0)), pair.hockey_stick(F(50))]
        assert decide.gaussian_cover(sticks, F(100), F(1, 10)) is not None
        seen = {**sticks[1].exact, "observer": "every-step"}
        sticks[1] = C6.conclude(
            "hockey-stick", formulas=(), values=sticks[1].values, exact=seen, subject=sticks[1].subject
        )
        with pytest.raises(TypeError):
            decide.gaussian_cover(sticks, F(100), F(1, 10))


def test_other_labels_have_another_slope():
    with precision(BITS), pytest.raises(PremiseFailed):
        per_instance(dataclasses.replace(plain(), y=np.full(6, 50.0)))


def test_a_start_outside_the_ball_keeps_the_logistic_slope():
    run = dataclasses.replace(plain(), start=Start((F(5),), F(0)))
    with precision(BITS):
        statement = per_instance(run)
        assert abs(statement.values["s"][0] - arb(1) / 12) < arb("1e-60")
    ridge = dataclasses.replace(run, loss="ridge")
    with precision(BITS), pytest.raises(PremiseFailed):
        per_instance(ridge)


def test_nothing_to_hide_is_proved_at_zero_and_zero():
    run = plain(X=np.array([[0.0], [1], [1], [1], [1], [1]]))
    (verdict,) = verify(Evidence(run), [EpsilonDelta("none", F(0), F(0))])
    assert verdict.status is Status.PROVED
