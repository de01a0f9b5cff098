"""Runs made to deceive: worlds that look alike are not coupled, and what is true stays proved."""

from fractions import Fraction as F

import numpy as np
import pytest
from hostile_runs import SINGLES, line_run, plain

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.core import schedule
from certaudit.core.rule import NotApplicable
from certaudit.run import Phase, Reference
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify
from certaudit.verdict import Status

CLAIMS = [
    EpsilonDelta("a", F(1), F(1, 10**5)),
    RenyiClaim("r", F(2), F(1, 10)),
    GaussianClaim("g", F(1, 5), F(0)),
]


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
        schedule.whole("I1", run)


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


def test_nothing_to_hide_is_proved_at_zero_and_zero():
    run = plain(X=np.array([[0.0], [1], [1], [1], [1], [1]]))
    (verdict,) = verify(Evidence(run), [EpsilonDelta("none", F(0), F(0))])
    assert verdict.status is Status.PROVED
