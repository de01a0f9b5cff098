"""What a report takes for granted: one list, said where it matters."""

from dataclasses import replace
from fractions import Fraction as F

import pytest
from shadow_runs import ridge_run

from certaudit.claims import EpsilonDelta, GaussianClaim
from certaudit.report import words
from certaudit.report.assumptions import ASSUMPTIONS, ATTACKED, OBSERVERS, UNSEEN, assumed
from certaudit.report.opening import opening
from certaudit.run import Phase, Reference, Request
from certaudit.spec.model import Spec

RUN = ridge_run(assumptions=("said by the spec",))
CLAIM = EpsilonDelta("small", F(1), F(1, 10**5))
RELEASES = ("final", "before-and-after", "every-step")


def said(run=RUN, claims=(CLAIM,)):
    return list(assumed(run, claims))


def test_the_specs_own_sentences_come_first_and_each_assumption_once():
    lines = said()
    assert lines[0] == "said by the spec"
    assert len(lines) == len(set(lines))
    names = [one.name for one in ASSUMPTIONS]
    assert names == ["requests", "reference", "adjacency", "normalizer", "statistics", "tuning", "delta"]


@pytest.mark.parametrize(
    ("words_of_it", "changes"),
    [
        ("without looking at any released model", {}),
        ("from the learned model alone", {"release": "before-and-after"}),
        ("with the run's own noise", {}),
        ("noise of its own", {"reference": Reference("unlearn-retrained", 60, output_variance=F(1))}),
        ("60 steps of learning without the rows", {"reference": Reference("retrained", 60)}),
        ("deleted in the reference, not replaced", {}),
        ("before the deletion, after it and in the reference too", {}),
        ("rows that are left, and the number of rows is public", {"normalizer": "current"}),
        ("is a copy of the row", {}),
        ("what was tuned with a row in remembers it", {}),
    ],
)
def test_each_is_said_where_it_holds(words_of_it, changes):
    assert sum(words_of_it in line for line in said(replace(RUN, **changes))) == 1


def test_a_sum_has_no_divisor_to_speak_of():
    assert len(said(replace(RUN, normalizer="sum"))) == len(said()) - 1


def test_delta_is_compared_with_one_over_n():
    large = EpsilonDelta("large", F(1), F(1, 59))
    slack = GaussianClaim("slack", F(1), F(1, 10))
    (line,) = set(said(claims=(CLAIM, large, slack))) - set(said())
    assert line.startswith("delta of large, slack is above 1/n")
    assert said(claims=(replace(CLAIM, delta=F(1, 60)),)) == said()


@pytest.mark.parametrize("release", RELEASES)
def test_one_line_says_whom_the_claims_are_not_about(release):
    lines = words.run(replace(RUN, release=release))
    assert any(line.endswith(f"an observer sees {OBSERVERS[release]}") for line in lines)
    found = [line for line in lines if line.startswith("not about")]
    assert found == ([f"not about   {UNSEEN[release]}"] if UNSEEN[release] else [])


def test_every_observer_of_the_spec_has_words():
    known = Spec.model_fields["release"].annotation.__args__
    assert set(known) == set(RELEASES) == set(OBSERVERS) == set(UNSEEN) == set(ATTACKED)
    assert "holder of the model before the deletion" in UNSEEN["final"]
    assert "final model alone" in ATTACKED["every-step"]


def test_the_derivation_says_what_the_pair_rests_on():
    pair = replace(RUN, release="before-and-after")
    assert any("O1: given the learned model" in line for line in opening(pair))
    unlearn = Phase(2, F(1, 2), F(1, 9))
    twice = replace(pair, requests=(Request((1,), unlearn), Request((2,), unlearn)))
    assert any("unlearn differently" in line for line in opening(twice))
