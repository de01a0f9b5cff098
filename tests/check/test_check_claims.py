"""Each claim by its own lines: forged links, directions, observers, stages."""

import copy

import check_runs
import pytest
from certificate_builder import seal
from gmpy2 import mpfr, mpq

from certaudit.check.checker import examined
from certaudit.check.claims import Claim, judge
from certaudit.check.interval import INFINITY, Interval, real
from certaudit.check.refusal import Refused
from certaudit.check.statement import (
    Exceedance,
    GaussianCover,
    GaussianDP,
    HockeyStick,
    Renyi,
    Sensitivity,
)

BOTH = ("P|Q", "Q|P")
BOUNDED, LIKELY, EXACT = check_runs.bounded(), check_runs.likely(), check_runs.exact()


def claims_of(value):
    return value["proofs"][0]["claims"]


def rejected(value, why=""):
    report = examined(seal(value))
    assert not report.accepted
    assert "CLAIM" in report.reasons[0]
    assert why in report.reasons[0]


def edited(base, at, **fields):
    value = copy.deepcopy(base)
    entry = claims_of(value)[at]
    for key, new in fields.items():
        (entry if key in ("verdict", "lines") else entry["claim"])[key] = new
    return value


def test_two_claims_on_one_proof_are_both_compared():
    value = edited(BOUNDED, 0, delta="1p-60", id="second")
    claims_of(value).insert(0, copy.deepcopy(claims_of(BOUNDED)[0]))
    rejected(value, "'second'")


def test_claims_change_lines():
    value = copy.deepcopy(BOUNDED)
    first, second = claims_of(value)[:2]
    first["lines"], second["lines"] = second["lines"], first["lines"]
    rejected(value)


def test_names_are_unique():
    rejected(edited(BOUNDED, 1, id="a"), "one name")


@pytest.mark.parametrize(
    ("at", "fields"),
    [
        (0, {"epsilon": "999/1000"}),
        (0, {"delta": "0"}),
        (1, {"mu": "1/1000"}),
        (2, {"step": 13}),
        (2, {"step": 100}),
        (2, {"sensitivity": "1/100000"}),
        (3, {"order": "4"}),
        (3, {"renyi": "1/100000"}),
        (0, {"verdict": "refuted"}),
        (1, {"verdict": "refuted"}),
        (2, {"verdict": "refuted"}),
        (0, {"lines": [6, 6]}),
        (0, {"lines": [6, 7, 5]}),
        (0, {"directions": []}),
        (0, {"directions": ["P|Q", "P|Q"]}),
        (0, {"directions": ["P"]}),
        (0, {"after": 2}),
        (0, {"after": 0}),
        (0, {"delta": "2"}),
        (3, {"order": "1"}),
        (1, {"mu": "-1"}),
    ],
)
def test_claims_beyond_their_lines(at, fields):
    if fields == {"step": 13}:
        report = examined(seal(edited(BOUNDED, at, **fields)))
        assert report.accepted  # step 13 removes nothing, so it shifts by 0
        return
    rejected(edited(BOUNDED, at, **fields))


def test_a_weaker_claim_is_accepted():
    for at, fields in (
        (0, {"epsilon": "2"}),
        (3, {"order": "2"}),
        (0, {"after": 1}),
        (0, {"directions": ["Q|P"]}),
    ):
        assert examined(seal(edited(BOUNDED, at, **fields))).accepted


def test_every_direction_needs_its_own_line():
    rejected(edited(LIKELY, 0, lines=[8]))
    rejected(edited(LIKELY, 0, lines=[9, 8]))
    rejected(edited(LIKELY, 1, directions=list(BOTH)))
    rejected(edited(LIKELY, 2, lines=[13]))
    rejected(edited(LIKELY, 2, lines=[14, 13]))
    rejected(edited(EXACT, 0, lines=[3]))
    rejected(edited(EXACT, 0, lines=[6, 3]))


def test_stages():
    rejected(edited(LIKELY, 0, after=None), "another stage")
    rejected(edited(LIKELY, 0, after=2), "another stage")
    value = copy.deepcopy(LIKELY)
    value["proofs"][0]["requests"] = 2
    assert not examined(seal(value)).accepted


def test_observers():
    seen = check_runs.bounded("every-step")
    assert examined(seal(seen)).accepted
    rejected(edited(seen, 0, lines=[6]))
    rejected(edited(seen, 1, lines=[3]))
    final = edited(BOUNDED, 0, lines=[7], delta="1")
    assert examined(seal(final)).accepted


def test_refutation_needs_an_exact_or_lower_value_in_the_direction():
    assert examined(seal(EXACT)).accepted
    rejected(edited(EXACT, 1, lines=[3, 6]))
    rejected(edited(EXACT, 1, lines=[2]))
    rejected(edited(EXACT, 1, verdict="proved"))
    rejected(edited(EXACT, 1, epsilon="1/4"))
    rejected(edited(EXACT, 1, delta="1/2"))


def claim(kind, at=0, size=0, slack=0, cases=BOTH):
    return Claim("x", kind, mpq(at), mpq(size), mpq(slack), cases)


def stick(delta, kind="upper", observer="final", directions=BOTH, epsilon=1):
    return HockeyStick(directions, observer, kind, mpq(epsilon), delta)


def shown(verdict, the_claim, *lines, release="final"):
    try:
        judge(the_claim, verdict, lines, release)
    except Refused:
        return False
    return True


HALF = real(mpq(1, 2))
NAN = Interval(mpfr("nan"), mpfr("nan"))


def test_what_proves_epsilon_delta():
    aim = claim("epsilon-delta", 1, 0, mpq(1, 2))
    assert shown("proved", aim, stick(HALF))
    assert shown("proved", aim, stick(HALF, "exact"))
    assert shown("proved", aim, stick(HALF, observer="every-step"))
    assert not shown("proved", aim, stick(HALF), release="every-step")
    assert shown("proved", aim, stick(HALF, observer="every-step"), release="every-step")
    assert not shown("proved", aim, stick(HALF, "lower"))
    assert not shown("proved", aim, stick(HALF, directions=("P|Q",)))
    assert not shown("proved", aim, stick(HALF, epsilon=2))
    assert not shown("proved", aim, Interval(HALF.lo, HALF.hi))
    wide = Interval(mpfr(0), mpfr("0.6"))
    assert not shown("proved", aim, stick(wide))
    assert not shown("refuted", aim, stick(wide, "exact"))


@pytest.mark.parametrize(
    "bound", [INFINITY, NAN, Interval(mpfr(0), mpfr("inf")), Interval(mpfr("nan"), mpfr(0))]
)
def test_no_infinite_or_undefined_bound_proves(bound):
    if bound.hi == 0:
        bound = Interval(bound.lo, mpfr("nan"))
    lines = {
        "epsilon-delta": stick(bound),
        "renyi": Renyi(BOTH, "final", "upper", mpq(2), bound),
        "gaussian": GaussianDP(BOTH, "final", "upper", bound, bound),
        "sensitivity": Sensitivity("any", ((5, bound),), None, bound),
    }
    for kind, entry in lines.items():
        cases = ("P", "Q") if kind == "sensitivity" else BOTH
        assert not shown("proved", claim(kind, 1, 10**9, 1, cases), entry)


def test_an_infinite_exact_divergence_refutes():
    line = Renyi(("P|Q",), "final", "exact", mpq(2), INFINITY)
    assert shown("refuted", claim("renyi", 2, 10**9), line)
    assert shown("refuted", claim("gaussian", 0, 10**9), line)
    assert not shown("refuted", claim("gaussian", 0, 10**9, mpq(1, 10**9)), line)
    assert not shown("refuted", claim("renyi", mpq(3, 2), 10**9), line)
    assert not shown("refuted", claim("renyi", 2, 10**9, cases=("Q|P",)), line)


def test_gaussian_claims():
    aim = claim("gaussian", 0, 1, mpq(1, 100))
    covers = [GaussianCover((d,), "final", "upper", mpq(1), mpq(1, 100)) for d in BOTH]
    assert shown("proved", aim, *covers)
    assert not shown("proved", aim, *covers[::-1])
    assert not shown("proved", aim, covers[0])
    assert not shown("proved", claim("gaussian", 0, 1, mpq(1, 100), ("P|Q",)), covers[0])
    assert shown("refuted", aim, stick(real(mpq(2, 10)), "lower"))
    assert not shown("refuted", aim, stick(real(mpq(13, 100)), "lower"))
    assert not shown("refuted", aim, stick(real(mpq(2, 10)), "upper"))


def test_sensitivity_claims():
    aim = claim("sensitivity", 3, mpq(1, 2), mpq(1, 10), ("P", "Q"))
    tenth = real(mpq(9, 100))
    pair = [Exceedance(w, 3, mpq(1, 2), tenth) for w in ("P", "Q")]
    assert shown("proved", aim, *pair)
    assert not shown("proved", aim, *pair[::-1])
    assert not shown("proved", aim, Exceedance("P", 4, mpq(1, 2), tenth), pair[1])
    assert not shown("proved", aim, Exceedance("P", 3, mpq(3, 4), tenth), pair[1])
    assert shown("refuted", aim, Exceedance("P", 3, mpq(1, 2), HALF))
    assert shown("refuted", aim, Exceedance("P", 3, mpq(3, 4), HALF))
    assert not shown("refuted", aim, Exceedance("P", 3, mpq(1, 4), HALF))
    shifts = ((2, HALF), (1, real(mpq(1, 2))), (1, real(1)))
    assert shown("proved", aim, Sensitivity("any", shifts, None, tenth))
    assert not shown("proved", aim, Sensitivity("P", shifts, None, tenth))
    assert not shown("proved", aim, Sensitivity("any", shifts, 4, tenth))
    assert not shown(
        "proved", claim("sensitivity", 5, 1, 1, ("P", "Q")), Sensitivity("any", shifts, None, tenth)
    )
