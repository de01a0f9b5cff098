"""C7 against mpmath in one dimension; any witness gives truth or a refusal; the traps of section 6."""

import math
from dataclasses import replace
from fractions import Fraction as F

import pytest
from exact_pairs import pair, truth
from flint import acb, arb
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


FOCI, POLE, STRIP = "both foci", "a pole lies between", "needs h > 0 and -pi/2"
LEVEL, SIZES, GRID = "needs epsilon >= 0 and gamma > 0", "nodes, 1 to", "cells must increase"
TAIL = "the tail begins too early"
BROKEN = [
    ("foci around 0", {"m": F(0)}, POLE),
    ("foci around -1", {"m": F(-1)}, POLE),
    ("trap a: m - b below 0, vertex above", {"m": F(1, 10), "b": F(11, 100), "theta": F(-1, 2)}, POLE),
    ("trap h: b below 0", {"b": F(-1, 3)}, FOCI),
    ("b of 0", {"b": F(0)}, FOCI),
    ("foci beyond 1/l", {"m": F(2), "b": F(1, 10)}, FOCI),
    ("foci beyond 1/l on the left", {"m": F(-4), "b": F(1, 10)}, FOCI),
    ("foci around 1/l", {"m": F(2), "b": F(1)}, FOCI),
    ("trap i: h below 0", {"h": F(-1, 10)}, STRIP),
    ("trap i: h below 0, cells to match", {"h": F(-1, 10), "tail_cells": (-50.0, 0.0, 9.0)}, STRIP),
    ("h of 0", {"h": F(0)}, STRIP),
    ("trap i: n below 0", {"n": -1}, SIZES),
    ("too many nodes", {"n": 10**9}, SIZES),
    ("theta on the edge", {"theta": F(0), "lo": F(0)}, STRIP),
    ("edges exchanged", {"lo": F(1), "hi": F(0)}, STRIP),
    ("an edge beyond pi/2", {"hi": F(1571, 1000)}, STRIP),
    ("an edge far out", {"lo": F(-(10**30))}, STRIP),
    ("gamma of 0", {"gamma": F(0)}, LEVEL),
    ("trap l: gamma below 0", {"gamma": F(-1, 10**6)}, LEVEL),
    ("epsilon below 0", {"epsilon": F(-1)}, LEVEL),
    ("no bits", {"bits": 0}, SIZES),
    ("too many bits", {"bits": 4097}, SIZES),
    ("no cells", {"lo_cells": ()}, GRID),
    ("one cell end", {"hi_cells": (0.0,)}, GRID),
    ("cells that decrease", {"lo_cells": (0.0, 2.0, 1.0, 9.0)}, GRID),
    ("cells that stand still", {"lo_cells": (0.0, 1.0, 1.0, 9.0)}, GRID),
    ("cells with nan", {"lo_cells": (0.0, math.nan, 9.0)}, GRID),
    ("cells from nan", {"lo_cells": (math.nan, 9.0)}, GRID),
    ("cells to infinity", {"hi_cells": (0.0, 4.0, math.inf)}, "C7"),
    ("cells from minus infinity", {"hi_cells": (-math.inf, 4.0, 9.0)}, "C7"),
    ("a gap before the cells", {"lo_cells": (0.5, 1.0, 9.0)}, GRID),
    ("a gap after the last node", {"tail_cells": (30.0, 40.0)}, GRID),
    ("cells that stop early", {"lo_cells": (0.0, 0.1)}, TAIL),
    ("too many cells", {"lo_cells": tuple(k / 1000 for k in range(10002))}, GRID),
]


@pytest.mark.parametrize(("changes", "reason"), [x[1:] for x in BROKEN], ids=[x[0] for x in BROKEN])
def test_a_broken_witness_is_refused(good, changes, reason):
    one, witness = good
    assert delta(one, witness).rel_accuracy_bits() > 40
    with pytest.raises(Undecided, match=reason):
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


@pytest.mark.parametrize("h", [F(1, 20), F(1, 3), F(1)])
def test_cells_bound_integrals_and_sums(h):
    """Over an edge, against a fine sum; for what the nodes leave out, against the nodes themselves."""
    one = pair((F(1, 2),), (F(1),))
    values = search.moments(one, arb(1)) | {c7.m: ball(F(1, 2)), c7.b: ball(F(1, 3))}
    cells = tuple(k / 16 for k in range(80))
    y = ball(F(-1, 2))
    for x0 in (F(0), F(1, 2), F(5, 4)):
        cut = cells[int(x0 * 16) :]
        total = sum((abs(c7.node(values, ball(x0 + k * h), y)) for k in range(60)), arb(0)) * ball(h)
        assert total <= c7.edge_bound(one, values, y, cut, ball(h))[0]
        fine = [abs(c7.node(values, ball(x0 + (k + F(1, 2)) / 200), y)) for k in range(800)]
        whole = c7.edge_bound(one, values, y, cut, arb(0))[0]
        assert sum(fine, arb(0)) / 200 <= whole * arb("1.001")
        assert whole < sum(fine, arb(0)) / 200 * arb("1.2")


@pytest.mark.parametrize("times", [F(3, 2), F(2), F(3), F(5), F(8)])
@pytest.mark.parametrize("side", ["lo", "hi"])
@pytest.mark.parametrize(("l", "nu", "eps"), [CASES[0], CASES[1], CASES[8]])
def test_nodes_too_far_apart_widen_the_ball(times, side, l, nu, eps):
    """The error of the discretization is there, on the side of the nearer edge, and covered."""
    one, witness = found((l,), (nu,), eps, 10)
    share = F(3, 4) if side == "hi" else F(1, 4)
    theta = witness.lo + share * (witness.hi - witness.lo)
    h = witness.h * times
    n = math.ceil((witness.n + 1) * witness.h / h) + 1
    cells = tuple(float(h * n) + k / 16 for k in range(120))
    coarse = replace(witness, theta=theta, h=h, n=n, tail_cells=cells)
    assert delta(one, coarse).overlaps(truth(l, nu, eps))


@pytest.mark.parametrize("z", [(F(1, 3), F(1, 2)), (F(3), F(-1, 2)), (F(7), F(1, 10))])
def test_the_rate_is_the_derivative(z):
    """Both forms of it, against a difference quotient of log g."""
    one = pair((F(1, 2), F(-1, 3), F(1, 50)), (F(1), F(2), F(1, 2)))
    values = search.moments(one, arb(1)) | {c7.m: ball(F(1, 2)), c7.b: ball(F(1, 3))}
    x, y = map(ball, z)
    step = arb(2) ** -60
    quotient = (c7.node(values, x + step, y) / c7.node(values, x - step, y)).log() / (2 * step)
    squares = [t * t for t in one.nu]
    here = values | {c7.zeta: acb(x, y)}
    here[c7.s] = c7.POINT.at(here)
    for near in (0, 1, 3):
        here |= {c7.l_near: one.l[:near], c7.v_near: squares[:near]}
        here |= {c7.l_far: one.l[near:], c7.v_far: squares[near:]}
        assert abs(c7.RATE.at(here) - quotient) < arb("1e-25")


@pytest.mark.parametrize("gamma", [F(1, 5), F(1, 20)])
@pytest.mark.parametrize("phi", [F(1, 50), F(1, 500)])
@pytest.mark.parametrize("eps", [F(1), F(3)])
def test_both_ends_of_the_inequality(gamma, phi, eps):
    one, witness = found((F(1, 2),), (F(1),), eps)
    value = delta(replace(one, phi=ball(phi)), replace(witness, gamma=gamma))
    miss = (ball(F(1, 2)) - ball(gamma) / (2 * ball(phi))).exp()
    low = truth(F(1, 2), F(1), eps + 2 * gamma) - miss * (1 + (ball(eps) + ball(gamma)).exp())
    high = truth(F(1, 2), F(1), eps - 2 * gamma) * ball(gamma).exp() + miss * (1 + ball(eps).exp())
    assert value.lower() <= (low * (-ball(gamma)).exp()).max(arb(0)).upper()
    assert value.upper() >= high.lower()
