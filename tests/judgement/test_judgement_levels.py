"""The level is spent once: claims, conformance and seeds together."""

from fractions import Fraction as F

import pytest

from certaudit.judgement.levels import Levels


@pytest.mark.parametrize("confidence", [F(95, 100), F(1, 2), F(999, 1000)])
@pytest.mark.parametrize("seeds", [1, 2, 7, 1000])
@pytest.mark.parametrize("compared", [True, False])
def test_the_parts_add_up_to_the_whole(confidence, seeds, compared):
    levels = Levels.of(confidence, compared=compared, seeds=seeds)
    assert seeds * (levels.claims + levels.conformance) == levels.total == 1 - confidence
    assert (levels.conformance > 0) == compared
    assert levels.claims > 0
