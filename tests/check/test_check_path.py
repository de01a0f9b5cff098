"""The second checker on O1 and O2: the numbers of the joint law, and what it refuses."""

from dataclasses import replace
from fractions import Fraction as F

import mpmath
import pytest
from gmpy2 import mpq
from path_runs import RUNS, WAYS, good, seen, truth

from certaudit.certificate import data as data_file
from certaudit.certificate.codec import encode
from certaudit.certificate.data import Data
from certaudit.certificate.write import run_content
from certaudit.check import path
from certaudit.check.checker import RULES
from certaudit.check.interval import ONE, ZERO, real
from certaudit.check.matrix import diagonal, matrix
from certaudit.check.observer import at_least, told
from certaudit.check.rectangle import Rectangle
from certaudit.check.refusal import Refused, limited
from certaudit.check.run import read_data, read_run
from certaudit.check.steps import Context
from certaudit.core.observer import subject
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable
from certaudit.core.rules.o2 import Witness
from certaudit.core.rules.o2_renyi import Witness as OrderWitness
from certaudit.run import Phase, Reference, Request
from certaudit.search.o2 import ExactPath


def context(run):
    data = data_file.content(Data(run.X, run.y))
    return Context(read_run(run_content(run), read_data(data["X"], data["y"])))


def stated(run, rule, witness):
    with limited(10**8):
        return RULES[rule](context(run), [], encode(witness, type(witness)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", RUNS)
def test_renyi_is_that_of_the_whole_path(name, way):
    from oracles.gaussian_law import MP
    from oracles.gaussian_pair import renyi

    found = stated(RUNS[name], "O2-renyi", OrderWitness(way, F(3)))
    exact = renyi(truth(RUNS[name], way), MP.mpf(3))
    assert (found.observer, found.kind, found.directions) == ("every-step", "exact", (way,))
    assert MP.mpf(mpmath.mpf(str(found.r.lo))) <= exact * (1 + MP.mpf(10) ** -15)
    assert exact * (1 - MP.mpf(10) ** -15) <= MP.mpf(mpmath.mpf(str(found.r.hi)))
    assert float(found.r.hi - found.r.lo) < 1e-20 * float(exact)


@pytest.mark.parametrize("name", ["one row", "current", "cycle", "gaussian start"])
def test_delta_agrees_with_the_core(name):
    run = RUNS[name]
    walked = ExactPath(Proof(run), "Q|P")
    line = walked.hockey_stick(F(1), 4)
    found, core = stated(run, "O2", line.witness).delta, line.statement.delta
    assert float(found.lo) <= float(core.upper()) * (1 + 1e-15)
    assert float(core.lower()) * (1 - 1e-15) <= float(found.hi)
    assert float(found.hi - found.lo) < 1e-3 * float(found.hi)


def test_infinite_is_seen_and_no_strip_reaches_there():
    run = seen(seed=1)
    edge = 1 / float(max(truth(run, "P|Q").extra))
    assert stated(run, "O2-renyi", OrderWitness("P|Q", 1 + F(edge * 1.01))).r.lo == float("inf")
    wide = replace(good(run), line=F(edge * 0.9), width=F(edge * 0.2), near=F(1, 1000))
    with pytest.raises(Refused, match="domain"):
        stated(run, "O2", wide)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"loss": "logistic"}, "squared"),
        ({"projection": F(1)}, "projection"),
        ({"learn": Phase(3, F(1, 2), F(0))}, "no noise"),
        ({"reference": Reference("retrained", 5)}, "other steps"),
        ({"reference": Reference("unlearn-retrained", 4)}, "other steps"),
        ({"reference": Reference("unlearn-retrained", 3, unlearn_variance=F(1, 9))}, "other noise"),
        ({"reference": Reference("unlearn-retrained", 3, output_variance=F(1, 9))}, "output noises"),
    ],
)
def test_refusals(changes, why):
    witness = Witness("P|Q", F(1), F(1), F(1, 2), F(1, 99), F(1, 9), 9, 128)
    for rule, asked in (("O2-renyi", OrderWitness("P|Q", F(2))), ("O2", witness)):
        with pytest.raises(Refused, match=why):
            stated(seen(**changes), rule, asked)


BAD = (
    {"near": F(0)},
    {"near": F(-1, 9)},
    {"width": F(0)},
    {"line": F(-1)},
    {"h": F(0)},
    {"h": F(-1, 4)},
    {"n": 0},
    {"n": 10**9},
    {"bits": 1},
    {"epsilon": F(-1)},
    {"near": F(10**6)},
)


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_nonsense_witnesses_are_refused(bad):
    run = seen()
    with pytest.raises((Refused, ValueError)):
        stated(run, "O2", replace(good(run), **bad))


def test_work_is_paid_for():
    run = seen()
    with pytest.raises(Refused, match="more work"), limited(500):
        RULES["O2"](context(run), [], encode(good(run), Witness))


def table(a, b, c, d):
    return matrix([[mpq(a), mpq(b)], [mpq(c), mpq(d)]])


def test_the_inverse_and_its_determinant():
    found = path.of_parts(table(2, 1, 1, 3), table(1, 0, 2, -1))
    inverse, det = path.inverse(found)
    assert (found @ inverse - path.identity(2)).parts.norm < real(F(1, 10**40))
    exact = (2 + 1j) * (3 - 1j) - 1 * (1 + 2j)
    assert abs(complex(float(det.x.lo), float(det.y.lo)) - exact) < 1e-12
    with pytest.raises((Refused, ZeroDivisionError, OverflowError)):
        path.inverse(path.of_parts(table(1, 1, 1, 1)))


def test_positive_definite_is_not_a_nonzero_determinant():
    with pytest.raises(path.Infinite):
        path.need_positive(path.of_parts(diagonal(2, -ONE)))
    with pytest.raises(Refused):
        path.need_positive(path.of_parts(diagonal(2, ZERO)))
    path.need_positive(path.of_parts(diagonal(2, ONE)))


def test_the_root_continues_the_positive_one():
    """(1 - s/5)^40 past an argument of pi, where the principal root has the other sign."""

    class Many:
        def plain(self, at):
            return ZERO, (ONE - real(at / 5)).power(40)

    roots = path.Roots.around(Many(), F(1), F(1, 1000))
    base = complex(1 - 1 / 5, -0.6 / 5)
    det = base**40
    found = roots.of(Rectangle(real(F(det.real)), real(F(det.imag))), real(F(3, 5)))
    assert abs(complex(float(found.x.lo), float(found.y.lo)) - base**20) < 1e-12
    with pytest.raises(Refused, match="unknown sign"):
        roots.of(Rectangle(ONE), real(3))


def test_observers_in_order():
    assert at_least("every-step", "before-and-after")
    assert at_least("before-and-after", "final")
    assert not at_least("final", "before-and-after")
    assert not at_least("before-and-after", "every-step")


UNLEARN = Phase(3, F(1, 2), F(1, 16))
TWICE = (Request((1,), UNLEARN), Request((3,), UNLEARN))
APART = tuple(replace(one, unlearn=replace(UNLEARN, batches=((0, 2),))) for one in TWICE)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"requests": TWICE},
        {"requests": APART},
        {"reference": Reference("unlearn-retrained", 3, unlearn_variance=F(1, 4))},
        {"output_variance": F(1, 9)},
        {"reference": Reference("unlearn-retrained", 3, output_variance=F(1, 9))},
        {"release": "every-step"},
    ],
)
def test_before_and_after_is_reduced_where_the_core_does(changes):
    run = seen(**{"release": "before-and-after", **changes})
    mine = context(run).run
    try:
        expected = subject(run)
    except NotApplicable:
        expected = run
    found = told(mine)
    assert (found.release, [one.unlearn.steps for one in found.requests]) == (
        expected.release,
        [one.unlearn.steps for one in expected.requests],
    )
    assert (found is mine) == (expected is run)
