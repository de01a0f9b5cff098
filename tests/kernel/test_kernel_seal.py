"""Statements and runs cannot be changed, and what a statement does not say it does not prove."""

import copy
import pickle
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from test_kernel_hostile import plain

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.kernel import decide
from certaudit.kernel.balls import precision
from certaudit.kernel.statement import Premise, Rule
from certaudit.prove.evidence import BITS, Evidence

FORGED = Rule("forged", "", "")
BOTH = ("P|Q", "Q|P")
CLAIMS = {
    "hockey-stick": EpsilonDelta("e", F(1), F(1, 10)),
    "epsilon": EpsilonDelta("e", F(1), F(1, 10)),
    "renyi": RenyiClaim("r", F(2), F(1)),
    "gaussian-dp": GaussianClaim("g", F(1), F(1, 10)),
}
NUMBERS = {"epsilon": F(1), "delta": F(1, 10), "order": F(2)}


def stated(run, kind, *without, value=0, **changes):
    """A statement of a kind with all that decides a claim, but for the keys left out."""
    exact = {"directions": BOTH, "observer": "every-step", "exactness": "upper", **NUMBERS, **changes}
    if kind == "hockey-stick":
        exact.pop("delta")
    return FORGED.conclude(
        kind,
        formulas=(),
        values=dict.fromkeys(("delta", "epsilon", "r", "mu"), arb(value)),
        exact={key: exact[key] for key in exact if key not in without},
        subject=run,
    )


@pytest.mark.parametrize("release", ["final", "every-step"])
@pytest.mark.parametrize("kind", CLAIMS)
def test_a_statement_without_its_observer_proves_nothing(kind, release):
    run, claim = plain(release=release), CLAIMS[kind]
    with precision(BITS):
        assert decide.prove(run, claim, [stated(run, kind)]) is not None
        assert decide.prove(run, claim, [stated(run, kind, "observer")]) is None
        assert decide.prove(run, claim, [stated(run, kind, "directions")]) is None


@pytest.mark.parametrize("kind", ["hockey-stick", "renyi"])
def test_a_statement_that_does_not_say_from_which_side_proves_nothing(kind):
    run, claim = plain(), CLAIMS[kind]
    with precision(BITS):
        for without in (("exactness",), ("exactness", "observer")):
            assert decide.prove(run, claim, [stated(run, kind, *without)]) is None
        assert decide.prove(run, claim, [stated(run, kind, exactness="lower")]) is None


@pytest.mark.parametrize("kind", ["hockey-stick", "renyi"])
def test_a_refutation_says_its_observer_and_side(kind):
    run, claim = plain(), CLAIMS[kind]
    above = {"value": 2, "exactness": "exact", "observer": "final"}
    with precision(BITS):
        assert decide.refute(run, claim, [stated(run, kind, **above)]) is not None
        for without in ("exactness", "observer", "directions"):
            assert decide.refute(run, claim, [stated(run, kind, without, **above)]) is None
        watched = stated(run, kind, **{**above, "observer": "every-step"})
        assert decide.refute(run, claim, [watched]) is None


def test_statements_and_premises_cannot_be_changed():
    values, exact = {"mu": arb(1)}, {"observer": "final"}
    statement = FORGED.conclude("gaussian-dp", formulas=(), values=values, exact=exact, subject=None)
    premise = Premise("name", "text", values)
    for mapping in (statement.values, statement.exact, premise.values):
        with pytest.raises(TypeError):
            mapping["mu"] = arb(0)
    values["mu"], exact["observer"] = arb(0), "every-step"
    assert statement.ball("mu") == premise.values["mu"] == 1
    assert statement.exact["observer"] == "final"


@pytest.mark.parametrize("kind", [float, np.float32, int, object])
@pytest.mark.parametrize("name", ["X", "y"])
def test_the_data_of_a_run_cannot_be_changed(name, kind):
    mine = np.ones((6, 1) if name == "X" else 6).astype(kind)
    run = plain(**{name: mine})
    mine[0] = 7
    for one in (run, replace(run, l2=F(1)), pickle.loads(pickle.dumps(run)), copy.deepcopy(run)):
        array = getattr(one, name)
        assert (array == 1).all()
        assert (array.shape, array.dtype) == (mine.shape, mine.dtype)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_runs_made_from_a_run_share_its_data():
    run = plain()
    assert replace(run, l2=F(1)).X is run.X


def test_a_proof_survives_an_attempt_to_change_the_data_behind_it():
    data = np.ones((6, 1))
    run = plain(X=data)
    with precision(BITS):
        before = Evidence(run).deterministic[0].statements[0].ball("mu")
        data *= 0
        assert Evidence(run).deterministic[0].statements[0].ball("mu").overlaps(before)
