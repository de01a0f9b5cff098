"""R4 does not list the steps that cost nothing."""

from dataclasses import replace
from fractions import Fraction as F

from law_runs import tiny

from certaudit.core.rules import r4
from certaudit.run import Phase, Request


def test_a_billion_steps_of_unlearning_cost_no_time():
    request = Request((1,), Phase(10**9, F(1, 2), F(1, 16)))
    run = replace(tiny(), requests=(request,))
    assert [t for t, _, _ in r4._costly(run)] == [0, 1, 2, 3]
