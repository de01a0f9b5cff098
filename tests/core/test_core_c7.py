"""C7 against mpmath in one dimension; any witness gives truth or a refusal; the traps of section 6."""

import math
from dataclasses import replace
from fractions import Fraction as F

import pytest
from exact_pairs import pair, truth
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from certaudit.core.balls import ball, precision
from certaudit.core.gaussian import gaussian_delta
from certaudit.core.rule import NotApplicable, Refusal, Undecided
from certaudit.core.rules import c7
from certaudit.core.statement import Law, Pair
from certaudit.search import c7 as search
from certaudit.search.twin import FloatPair

CASES = [
    (F(1, 2), F(1), F(1)),
    (F(-1, 2), F(1), F(1, 2)),
    (F(-1, 2), F(3, 2), F(5, 2)),
    (F(3), F(0), F(2)),
    (F(3), F(1, 10), F(40)),
    (F(-3, 4), F(0), F(1, 10)),
    (F(1, 10**5), F(1, 100), F(1, 20)),
    (F(-1, 10**5), F(1, 100), F(1, 20)),
    (F(0), F(2), F(5)),
    (F(0), F(1, 100), F(0)),
    (F(1, 3), F(12), F(2)),
    (F(-1, 3), F(12), F(1)),
]


@pytest.fixture(autouse=True)
def bits():
    with precision(256):
        yield


def found(l, nu, eps, digits=20):
    one = pair(l, nu)
    twin = FloatPair(one.l, one.nu)
    return one, search.witness(one, twin, eps, digits)


def delta(one, witness):
    return c7.c7(None, (one,), witness).statement.delta


@pytest.fixture(scope="module")
def good():
    """A pair with eigenvalues of both signs and 0, and a good witness."""
    with precision(256):
        return found((F(1, 2), F(-1, 4)), (F(1), F(1, 2)), F(1), 16)


@pytest.mark.parametrize(("l", "nu", "eps"), CASES)
@pytest.mark.parametrize("digits", [12, 30])
def test_one_dimension(l, nu, eps, digits):
    one, witness = found((l,), (nu,), eps, digits)
    value, expected = delta(one, witness), truth(l, nu, eps)
    assert value.overlaps(expected)
    assert value.rel_accuracy_bits() > 3.3 * digits - 4


def test_every_gap_gives_the_same_delta():
    """The contour right of 0, between the poles, and left of -1: residues 0, 1 and 1 - e^eps."""
    l, nu, eps = F(-1, 8), F(3), F(1, 2)
    one, witness = found((l,), (nu,), eps, 16)
    expected = truth(l, nu, eps)
    for m, b in ((F(1, 2), F(1, 4)), (F(-1, 2), F(1, 4)), (F(-2), F(1, 2))):
        for theta, lo, hi in ((F(1, 2), F(0), F(1)), (F(-1, 2), F(-1), F(0))):
            grid = tuple(k / 16 for k in range(130))
            tail = tuple(4 + k / 16 for k in range(66))
            changed = replace(
                witness, m=m, b=b, theta=theta, lo=lo, hi=hi, h=F(1, 40), n=160,
                lo_cells=grid, hi_cells=grid, tail_cells=tail,
            )  # fmt: skip
            try:
                value = delta(one, changed)
            except Undecided:
                continue
            assert value.overlaps(expected)
            assert value.rad() < arb("1e-5"), (m, theta)
            break
        else:
            pytest.fail(f"no contour around {m}")


def test_flat_directions_add_up_to_a_gaussian_shift():
    one, witness = found((F(0), F(0), F(0)), (F(1), F(2), F(2)), F(7))
    assert abs(delta(one, witness) / gaussian_delta(F(3), F(7)) - 1) < arb("1e-15")


def test_a_delta_of_0():
    one, witness = found((F(-1, 2),), (F(1),), F(50))
    assert delta(one, witness) < arb("1e-1000")


def test_gamma_widens_to_both_ends():
    one, witness = found((F(1, 2),), (F(1),), F(1))
    wide = replace(one, phi=arb("1e-6"))
    value = delta(wide, replace(witness, gamma=F(1, 1000)))
    for eps in (F(998, 1000), F(1002, 1000)):
        assert value.contains(truth(F(1, 2), F(1), eps).mid())
    assert value.rad() > arb("1e-4")
    assert not delta(wide, replace(witness, gamma=F(1, 10**7))) < 1


numbers = st.one_of(
    st.fractions(-3, 3, max_denominator=50),
    st.sampled_from([F(0), F(1, 10**30), F(-1, 10**30), F(10**40), F(-(10**40))]),
)
grids = st.one_of(
    st.lists(st.floats(), max_size=6).map(tuple),
    st.lists(st.floats(0, 12), min_size=2, max_size=30, unique=True).map(lambda x: tuple(sorted(x))),
    st.integers(1, 60).map(lambda k: tuple(j / 5 for j in range(k + 1))),
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_witness_makes_it_lie(data):
    l = data.draw(st.sampled_from([F(1, 2), F(-1, 2), F(2), F(-1, 10)]))
    eps = F(1)
    with precision(256):
        one, witness = _known(l)
        fields = ("gamma", "m", "b", "theta", "lo", "hi", "h")
        for name in data.draw(st.lists(st.sampled_from(fields), max_size=3, unique=True)):
            near = st.builds(lambda x, f: x * f, st.just(getattr(witness, name)), st.fractions(-2, 2))
            witness = replace(witness, **{name: data.draw(st.one_of(numbers, near))})
        for name in data.draw(
            st.lists(st.sampled_from(("lo_cells", "hi_cells", "tail_cells")), max_size=2)
        ):
            kept = getattr(witness, name)
            cut = st.integers(0, len(kept)).map(lambda k, kept=kept: kept[:k])
            witness = replace(witness, **{name: data.draw(st.one_of(grids, cut))})
        witness = replace(witness, n=data.draw(st.one_of(st.just(witness.n), st.integers(-3, 60))))
        witness = replace(witness, bits=data.draw(st.sampled_from([witness.bits, 53, 96, 0, -5, 10**6])))
        try:
            value = delta(one, witness)
        except Refusal:
            return
        assert value.is_finite()
        assert value.overlaps(truth(l, F(1), eps))


def _known(l, cache={}):  # noqa: B006
    if l not in cache:
        cache[l] = found((l,), (F(1),), F(1), 12)
    return cache[l]


BROKEN = [
    ("foci around 0", {"m": F(0)}),
    ("trap a: m - b below 0, vertex above", {"m": F(1, 10), "b": F(11, 100), "theta": F(-1, 2)}),
    ("trap h: b below 0", {"b": F(-1, 3)}),
    ("b of 0", {"b": F(0)}),
    ("foci beyond 1/l", {"m": F(2), "b": F(1, 10)}),
    ("trap i: h below 0", {"h": F(-1, 10)}),
    ("h of 0", {"h": F(0)}),
    ("trap i: n below 0", {"n": -1}),
    ("too many nodes", {"n": 10**9}),
    ("theta on the edge", {"theta": F(0), "lo": F(0)}),
    ("edges exchanged", {"lo": F(1), "hi": F(0)}),
    ("an edge beyond pi/2", {"hi": F(1571, 1000)}),
    ("gamma of 0", {"gamma": F(0)}),
    ("trap l: gamma below 0", {"gamma": F(-1, 10**6)}),
    ("epsilon below 0", {"epsilon": F(-1)}),
    ("no bits", {"bits": 0}),
    ("too many bits", {"bits": 4097}),
    ("no cells", {"lo_cells": ()}),
    ("one cell end", {"hi_cells": (0.0,)}),
    ("cells that decrease", {"lo_cells": (0.0, 2.0, 1.0, 9.0)}),
    ("cells that stand still", {"lo_cells": (0.0, 1.0, 1.0, 9.0)}),
    ("cells with nan", {"lo_cells": (0.0, math.nan, 9.0)}),
    ("cells to infinity", {"hi_cells": (0.0, 4.0, math.inf)}),
    ("cells from minus infinity", {"hi_cells": (-math.inf, 4.0, 9.0)}),
    ("a gap before the cells", {"lo_cells": (0.5, 1.0, 9.0)}),
    ("a gap after the last node", {"tail_cells": (30.0, 40.0)}),
    ("cells that stop early", {"lo_cells": (0.0, 0.1)}),
    ("too many cells", {"lo_cells": tuple(k / 1000 for k in range(10002))}),
]


@pytest.mark.parametrize(("what", "changes"), BROKEN, ids=[name for name, _ in BROKEN])
def test_a_broken_witness_is_refused(good, what, changes):
    one, witness = good
    assert delta(one, witness).rel_accuracy_bits() > 40
    with pytest.raises(Undecided):
        delta(one, replace(witness, **changes))


def test_a_pole_of_the_form_between_the_foci(good):
    """Foci in (0, s_+) are fine; any closer to 1/l = 2 than allowed is not, from either side."""
    one, witness = good
    for m in (F(2), F(19, 10), F(21, 10), F(-4)):
        with pytest.raises(Undecided):
            delta(one, replace(witness, m=m, b=F(1, 5)))


def test_trap_b_an_edge_that_opens_the_wrong_way():
    one, witness = found((F(1, 2),), (F(1),), F(1), 12)
    mirrored = replace(
        witness,
        theta=-witness.theta,
        lo=-witness.hi,
        hi=-witness.lo,
        lo_cells=witness.hi_cells,
        hi_cells=witness.lo_cells,
    )
    with pytest.raises(Undecided, match="opens the wrong way"):
        delta(one, mirrored)


def test_trap_c_an_l_of_unknown_sign(good):
    one, witness = good
    unsure = replace(one, l=(one.l[0], arb(0, "1e-40")))
    with pytest.raises(Undecided, match="unknown sign"):
        delta(unsure, witness)


@pytest.mark.parametrize("nu", [F(1), F(1, 10**40), None])
def test_trap_j_a_flat_direction_closes_the_wide_strips(good, nu):
    one, witness = good
    assert max(-witness.lo, witness.hi) > F(8, 10)
    extra = arb(0, "1e-60") if nu is None else ball(nu)
    with pytest.raises(Undecided, match="opens the wrong way"):
        delta(replace(one, l=(*one.l, arb(0)), nu=(*one.nu, extra)), witness)
    still = replace(one, l=(*one.l, arb(0)), nu=(*one.nu, arb(0)))
    assert delta(still, witness).overlaps(delta(one, witness))


def test_trap_d_few_bits_refuse_or_widen():
    one, witness = found((F(1, 2), F(1, 10**20)), (F(1), F(1)), F(1), 12)
    exact = delta(one, witness)
    for bits in (8, 24, 53, 64):
        try:
            assert delta(one, replace(witness, bits=bits)).overlaps(exact)
        except Undecided:
            continue


def test_needs_a_pair(good):
    _, witness = good
    with pytest.raises(NotApplicable):
        c7.c7(None, (), witness)
    with pytest.raises(NotApplicable):
        c7.c7(None, (Law((), (), (), ()),), witness)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-1.4, 1.4),
    st.fractions(F(1, 20), F(3), max_denominator=40),
    st.fractions(F(-3), F(3), max_denominator=40),
    st.floats(0, 8),
    st.floats(0.01, 1),
)
def test_a_cell_bounds_g_inside_it(y, b, m, x0, width):
    """Sampled points of a cell never exceed its bound, with small and large l on both sides."""
    with precision(160):
        one = Pair(
            "P|Q",
            tuple(map(ball, (F(1, 9), F(-1, 5), F(1, 10**9), F(0)))),
            tuple(map(ball, (F(1), F(2), F(1), F(1, 2)))),
            arb("1e-60"),
        )
        values = search.moments(one, arb(1)) | {c7.m: ball(m), c7.b: ball(b)}
        ends = ball(x0), ball(x0 + width)
        bound = c7.cell_bound(one, values, ball(y), *ends)[0]
        if not bound.is_finite():
            return
        for k in range(9):
            x = ends[0] + (ends[1] - ends[0]) * k / 8
            assert not abs(c7.node(values, x, ball(y))) > bound.upper()


@pytest.mark.parametrize("y", [F(0), F(1, 2), F(-1, 2), F(1)])
@pytest.mark.parametrize("l", [(F(1, 2),), (F(-1, 2),), (F(1, 2), F(-1, 10**4), F(0))])
def test_the_tail_bounds_what_lies_beyond(y, l):
    """Against the sum over a fine grid of nodes."""
    one = pair(l, [F(1)] * len(l))
    for level in (F(-2), F(1), F(40)):
        values = search.moments(one, ball(level)) | {c7.m: ball(F(1, 2)), c7.b: ball(F(1, 3))}
        for step in (F(0), F(1, 50)):
            try:
                bound = c7.tail_bound(one, values, ball(y), arb(3), ball(step))[0]
            except Undecided:
                continue
            h = step or F(1, 200)
            nodes = (
                abs(c7.node(values, ball(3 + (k + F(step == 0) / 2) * h), ball(y))) for k in range(400)
            )
            assert sum(nodes, arb(0)) * ball(h) <= bound * arb("1.001")
