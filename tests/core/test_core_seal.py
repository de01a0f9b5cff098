"""Statements, lines and runs cannot be changed, and what a statement does not say it does not prove."""

import copy
import dataclasses
import pickle
from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from flint import arb
from hostile_runs import plain

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.core.balls import precision
from certaudit.core.proof import BITS, Proof
from certaudit.core.rule import Premise
from certaudit.core.rules import RULES
from certaudit.core.statement import GaussianCover, GaussianDP, HockeyStick, Renyi, Statement
from certaudit.search.evidence import Evidence

BOTH = ("P|Q", "Q|P")
CLAIMS = {
    "hockey-stick": EpsilonDelta("e", F(1), F(1, 10)),
    "renyi": RenyiClaim("r", F(2), F(1)),
    "gaussian-dp": GaussianClaim("g", F(1), F(1, 10)),
}
SIDED = ["hockey-stick", "renyi"]


@pytest.fixture(autouse=True)
def bits():
    with precision(BITS):
        yield


def stated(kind, value=0, **changes):
    """A statement of a kind with all that decides a claim, but for the changes."""
    scope = {"directions": BOTH, "observer": "every-step", "exactness": "upper", **changes}
    if kind == "hockey-stick":
        return HockeyStick(F(1), arb(value), **scope)
    if kind == "renyi":
        return Renyi(F(2), arb(value), **scope)
    del scope["exactness"]
    return GaussianDP(arb(value), arb(0), **scope)


def proves(kind, statement, release):
    return all(CLAIMS[kind].proved_by(statement, case, release) for case in BOTH)


def statements(kind=Statement):
    for one in kind.__subclasses__():
        yield one
        yield from statements(one)


@pytest.mark.parametrize("kind", list(statements()))
def test_nothing_is_granted_by_being_left_out(kind):
    """Every field of every statement is required, and none can be set later."""
    fields = dataclasses.fields(kind)
    assert fields
    for field in fields:
        assert field.default is field.default_factory is dataclasses.MISSING
        others = {one.name: None for one in fields if one is not field}
        with pytest.raises(TypeError, match=field.name):
            kind(**others)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(kind(**others, **{field.name: None}), field.name, 1)


@pytest.mark.parametrize("release", ["final", "every-step"])
@pytest.mark.parametrize("kind", CLAIMS)
def test_a_statement_without_its_observer_proves_nothing(kind, release):
    assert proves(kind, stated(kind), release)
    assert proves(kind, stated(kind, observer=release), release)
    assert not proves(kind, stated(kind, observer=None), release)
    assert not proves(kind, stated(kind, observer=""), release)
    assert not proves(kind, stated(kind, directions=()), release)
    assert not proves(kind, stated(kind, directions=("P|Q",)), release)
    assert not proves(kind, stated(kind, observer="final"), "every-step")


@pytest.mark.parametrize("kind", SIDED)
def test_a_statement_that_does_not_say_from_which_side_proves_nothing(kind):
    for exactness in (None, "", "lower"):
        for observer in (None, "every-step"):
            without = stated(kind, exactness=exactness, observer=observer)
            assert not proves(kind, without, "final")
    assert proves(kind, stated(kind, exactness="exact"), "final")


@pytest.mark.parametrize("kind", SIDED)
def test_a_refutation_says_its_observer_and_side(kind):
    claim = CLAIMS[kind]
    above = {"value": 2, "exactness": "exact", "observer": "final"}
    assert claim.broken_by(stated(kind, **above), "final")
    assert claim.broken_by(stated(kind, **above), "every-step")
    for changes in ({"exactness": None}, {"observer": None}, {"directions": ()}):
        assert not claim.broken_by(stated(kind, **{**above, **changes}), "final")
    assert not claim.broken_by(stated(kind, **{**above, "exactness": "upper"}), "final")
    assert not claim.broken_by(stated(kind, **{**above, "observer": "every-step"}), "final")


def test_a_cover_says_its_observer():
    claim = CLAIMS["gaussian-dp"]
    for observer, release, proved in (
        ("final", "final", True),
        ("every-step", "final", True),
        ("final", "every-step", False),
        (None, "final", False),
    ):
        cover = GaussianCover(F(1), F(1, 10), "P|Q", observer)
        assert claim.proved_by(cover, "P|Q", release) is proved
        assert not claim.proved_by(cover, "Q|P", release)


def test_statements_and_premises_cannot_be_changed():
    proof = Proof(plain())
    line = proof.apply("S2", (), RULES["S2"].witness(None))
    premise = Premise("name", "text", (("mu", arb(1)),))
    for frozen, name in (
        (line, "conclusion"),
        (line.conclusion, "statement"),
        (line.statement, "shifts"),
        (premise, "numbers"),
    ):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, name, None)
    with pytest.raises(TypeError):
        premise.numbers[0] = ("mu", arb(0))
    with pytest.raises(TypeError):
        line.statement.shifts[0] = (20, arb(0))
    for name in ("run", "lines", "bits"):
        with pytest.raises(AttributeError):
            setattr(proof, name, None)
    assert isinstance(proof.lines, tuple)


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
    before = Evidence(run).deterministic[0].lines[0].statement.mu
    data *= 0
    assert Evidence(run).deterministic[0].lines[0].statement.mu.overlaps(before)
    assert before > 0
