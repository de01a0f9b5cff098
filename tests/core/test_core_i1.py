"""I1: any split that meets is sound; the best is the pooled minimum; nothing else passes."""

from dataclasses import replace
from fractions import Fraction as F
from itertools import pairwise
from pathlib import Path

import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st
from step_runs import course, small

from certaudit.core.balls import ball, precision, upper
from certaudit.core.proof import Proof
from certaudit.core.rule import NotApplicable, Refusal, Undecided
from certaudit.core.rules.i1 import Block, Witness, coupled, i1
from certaudit.core.statement import Contraction, Drift, Sensitivity
from certaudit.run import Batch, Phase, Reference, Request
from certaudit.search.i1 import contractive, witness


@pytest.fixture(autouse=True)
def bits():
    with precision(320):
        yield


def bound(stretches, distance=F(0), split=None):
    """mu^2, by the best split or the one given."""
    run, *uses = course(stretches, distance)
    with precision(320):
        given_ = witness(coupled(run, tuple(uses))) if split is None else Witness(tuple(split))
        return i1(run, tuple(uses), given_).statement.mu ** 2


def pooled(stretches, distance=F(0)):
    """The minimum in rational arithmetic, step by step, from section 4."""
    steps = [(c, s, v) for count, c, s, v in stretches for _ in range(count)]
    later, points = F(1), []
    for t in reversed(range(len(steps))):
        c, s, v = steps[t]
        points.append((later * (s + (c * distance if t == 0 else 0)), later**2 * v))
        later *= c
    pools = []
    for u, w in reversed(points):
        while pools and pools[-1][0] * w >= u * pools[-1][1]:
            before = pools.pop()
            u, w = u + before[0], w + before[1]
        pools.append((u, w))
    return None if any(u and not w for u, w in pools) else sum(u**2 / w for u, w in pools if u)


def close(energy, expected, digits=20):
    return bool(abs(energy - ball(expected)) <= ball(expected) * arb(10) ** -digits)


STEP = st.tuples(
    st.integers(1, 5),
    st.sampled_from([F(1, 1000), F(1, 2), F(9, 10), F(1), F(11, 10), F(3)]),
    st.sampled_from([F(0), F(0), F(1, 3), F(1), F(10**9)]),
    st.sampled_from([F(0), F(1, 10**6), F(1), F(2), F(10**12)]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=6), st.sampled_from([F(0), F(2), F(10**20)]))
def test_the_best_split_is_the_pooled_minimum(stretches, distance):
    expected = pooled(stretches, distance)
    if expected is None:
        with pytest.raises(NotApplicable):
            bound(stretches, distance)
    else:
        assert close(bound(stretches, distance), expected)
        assert upper(bound(stretches, distance)) >= expected


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, min_size=2, max_size=5), st.data())
def test_whatever_split_is_accepted_costs_at_least_the_minimum(stretches, data):
    amounts = st.sampled_from([F(0), F(1, 3), F(1), F(4, 3), F(5), F(10**9)])
    ratios = st.sampled_from([F(0), F(1, 2), F(1), F(10, 9), F(2)])
    counts = [count for count, *_ in stretches]
    counts[-1] -= 1
    split = [
        Block(count, data.draw(amounts), data.draw(ratios))
        for total in counts
        for count in ([total] if data.draw(st.booleans()) else [1] * total)
        if count
    ]
    least = pooled(stretches)
    try:
        found = bound(stretches, split=split)
    except Refusal:
        return
    assert least is not None
    assert upper(found) >= least
    steps = [(c, s, v) for count, c, s, v in stretches for _ in range(count)]
    taken = [b.first * b.ratio**k for b in split for k in range(b.count)]
    z, cost = F(0), F(0)
    for (c, s, v), a in zip(steps, [*taken, None], strict=False):
        a = c * z + s if a is None else a
        z = c * z + s - a
        assert z >= 0
        assert v or not a
        cost += a**2 / v if a else 0
    if steps[-1][2]:
        assert close(found, cost, 80) or cost == 0


@pytest.mark.parametrize("k", range(20))
def test_golden_numbers(k):
    import json

    table = json.loads((Path(__file__).parent.parent / "golden" / "golden.json").read_text())
    row = table["contractive_iteration"][k]
    steps = zip(row["contraction"], row["sensitivity"], row["noise_std"], strict=True)
    stretches = [(1, F(c), F(s), F(sigma) ** 2) for c, s, sigma in steps]
    if row["mu_squared"] == "inf":
        with pytest.raises(NotApplicable):
            bound(stretches, F(row["initial_distance"]))
    else:
        found, reference = bound(stretches, F(row["initial_distance"])), arb(row["mu_squared"])
        assert abs(found - reference) <= reference * arb("1e-14")


def billions():
    yield [(10**9, F(1), F(1), F(4)), (5, F(1), F(0), F(4))], lambda: arb(10**18) / (4 * (10**9 + 5))
    power = lambda n: arb(F(999, 1000).numerator) ** n / arb(1000) ** n
    c = arb(999) / 1000

    def geometric():
        late = power(10**4)
        u = late * (1 - power(10**9)) / (1 - c)
        return u**2 / ((1 - power(2 * 10**9 + 2 * 10**4)) / (1 - c**2))

    yield [(10**9, F(999, 1000), F(1), F(1)), (10**4, F(999, 1000), F(0), F(1))], geometric

    def vanishing():
        half = arb(1) / 2
        u = half ** (10**9) * 2 * (1 - half ** (10**9))
        return u**2 / ((1 - half ** (4 * 10**9)) / (1 - half**2))

    yield [(10**9, F(1, 2), F(1), F(1)), (10**9, F(1, 2), F(0), F(1))], vanishing


@pytest.mark.parametrize("k", range(3))
def test_a_billion_steps_cost_nothing_and_tiny_products_do_not_underflow(k):
    """In the last, amounts below 2^-60000 are not written: a third more of 1e-600000000."""
    stretches, expected = list(billions())[k]
    found = bound(stretches)
    value = expected()
    assert abs(found / value - 1) < (arb("0.34") if k == 2 else arb("1e-20"))
    run, *uses = course(stretches)
    assert len(witness(coupled(run, tuple(uses))).split) <= 6


def test_what_is_less_than_the_file_can_hold_is_not_erased():
    stretches = [(10**6, F(1, 2), F(1), F(1)), (3, F(1, 2), F(0), F(1))]
    run, *uses = course(stretches)
    split = witness(coupled(run, tuple(uses))).split
    assert split[0].first == 0
    assert all(b.first.denominator.bit_length() < 61000 for b in split)


@pytest.mark.parametrize(
    ("stretches", "distance", "first", "ratio"),
    [
        ([(3, F(2), F(1), F(1)), (1, F(1), F(0), F(1))], F(0), F(4, 3), F(1, 2)),
        ([(6, F(1), F(1), F(1)), (1, F(1), F(0), F(1))], F(1), F(3), F(1, 2)),
    ],
)
def test_trap_a_the_distance_may_not_dip_below_zero_inside_a_block(stretches, distance, first, ratio):
    """At its ends it does not: 0, -1/3, -1/3, 0 and 1, -1, -1.5, -1.25, -.625, .1875."""
    ends, z = [], distance
    for k in range(stretches[0][0]):
        z = stretches[0][1] * z + stretches[0][2] - first * ratio**k
        ends.append(z)
    assert min(ends) < 0 <= ends[-1]
    for split in (
        [Block(len(ends), first, ratio)],
        [Block(1, first * ratio**k, F(1)) for k in range(len(ends))],
    ):
        with pytest.raises(Undecided):
            bound(stretches, distance, split)


def test_trap_b_nothing_is_erased_where_there_is_no_noise():
    stretches = [(2, F(1), F(1), F(0)), (1, F(1), F(0), F(1))]
    with pytest.raises(Undecided, match="without noise"):
        bound(stretches, split=[Block(2, F(1, 2), F(1))])
    assert bound(stretches, split=[Block(2, F(0), F(1))]) == 4


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "block",
    [
        Block(0, F(0), F(1)),
        Block(-1, F(0), F(1)),
        Block(5, F(0), F(1)),
        Block(10**30, F(0), F(1)),
        Block(2.0, F(0), F(1)),
        Block(4, F(-1), F(1)),
        Block(4, F(0), F(-1)),
        Block(4, F(1, 9), F(-2)),
        Block(4, NAN, F(1)),
        Block(4, INF, F(1)),
        Block(4, F(0), NAN),
        Block(4, F(0), INF),
        Block(4, F(1), F(1, 2)),
        Block(4, F(10) ** 400, F(1)),
        Block(4, F(1, 2), F(10) ** 4000),
        Block(3, F(0), F(1)),
    ],
)
def test_nonsense_is_refused(block):
    with pytest.raises(Undecided):
        bound([(5, F(1, 2), F(1), F(1))], split=[block])


@pytest.mark.parametrize(
    "counts", [[], [4], [7], [3, 1, 4], [3, 5], [8], [2, 2, 4], [3, 4, 1], [3, 4, 0], [3, 4, -1, 1]]
)
def test_blocks_that_straddle_or_end_early_or_late_are_refused(counts):
    stretches = [(3, F(1, 2), F(1), F(1)), (5, F(1, 2), F(0), F(1))]
    with pytest.raises(Undecided):
        bound(stretches, split=[Block(count, F(0), F(1)) for count in counts])
    assert bound(stretches, split=[Block(3, F(0), F(1)), Block(4, F(0), F(1))]) > 0


def test_steps_after_the_last_noise_keep_what_was_proved_but_may_not_shift():
    noisy = [(3, F(1, 2), F(1), F(1))]
    assert close(bound([*noisy, (9, F(1, 2), F(0), F(0))]), pooled(noisy))
    with pytest.raises(NotApplicable, match="last noise"):
        bound([*noisy, (9, F(1, 2), F(0), F(0)), (1, F(1, 2), F(1), F(0))])
    with pytest.raises(NotApplicable):
        bound([(3, F(1), F(0), F(0))], F(2))
    assert bound([(3, F(1), F(0), F(0))]) == 0


def test_expanding_steps_are_listed_up_to_a_limit():
    assert bound([(300, F(3), F(1), F(1))]) > 299
    with pytest.raises(NotApplicable, match="expand"):
        bound([(30000, F(3), F(1), F(1))])


def test_more_of_anything_bad_is_worse():
    base = [(6, F(9, 10), F(1), F(1)), (4, F(9, 10), F(0), F(1))]
    values = [
        bound(base),
        bound([(6, F(9, 10), F(2), F(1)), base[1]]),
        bound([(6, F(9, 10), F(2), F(1)), (4, F(1), F(0), F(1))]),
        bound([(6, F(9, 10), F(2), F(1)), (4, F(1), F(0), F(1, 2))]),
    ]
    assert all(a < b for a, b in pairwise(values))


def line(run, last=None, rule="S2"):
    from certaudit.core.rules import RULES

    proof = Proof(run)
    return proof, proof.apply(rule, (), RULES[rule].witness(last))


def steps(proof, world):
    from certaudit.core import schedule
    from certaudit.core.rules.contraction import Witness as StepWitness
    from certaudit.search import curvature

    found = []
    for one in dict.fromkeys((s.batch, s.step_size) for s in schedule.steps("t", proof.run, world)):
        known = proof.apply("curvature", (), curvature.witness(proof.run, one[0]))
        found.append(proof.apply("contraction", (known,), StepWitness(one[1])))
    return found


def test_each_world_with_the_map_of_the_other():
    """The bound of P's iterates needs Q's contraction, and proves one direction."""
    run, stated, *_ = course([(2, F(1, 2), F(1), F(1))])
    run = replace(run, requests=(Request((0,), Phase(0, F(1), F(1))),), learn=Phase(2, F(1), F(1)))
    run = replace(run, reference=Reference("unlearn-retrained", 2))
    batches = {"P": Batch(None, ()), "Q": Batch(None, run.forget)}
    mus = {}
    for world, partner in (("P", "Q"), ("Q", "P")):
        one = replace(stated, world=world, delta=arb(0.5))
        wrong = Contraction(batches[world], F(1), F(1, 2))
        right = Contraction(batches[partner], F(1), F(1, 2))
        with pytest.raises(NotApplicable, match="missing"):
            i1(run, (one, wrong), Witness((Block(1, F(0), F(1)),)))
        found = i1(run, (one, right), Witness((Block(1, F(0), F(1)),))).statement
        assert found.directions == ((f"{world}|{partner}"),)
        assert found.delta == 0.5
        assert found.observer == "final"
        mus[world] = found.mu
    assert mus["P"] == mus["Q"] == arb(3) / 2


def test_premises_of_the_worlds():
    run = small()
    proof, stated = line(run)
    known = steps(proof, "Q")
    assert contractive(proof, stated, known).statement.directions == ("P|Q", "Q|P")
    with pytest.raises(NotApplicable, match="missing"):
        contractive(proof, stated, known[:-1])
    with pytest.raises(NotApplicable):
        contractive(proof, known[0], known)
    with pytest.raises(NotApplicable):
        proof.apply("I1", (), Witness(()))
    with pytest.raises(NotApplicable):
        proof.apply("I1", (stated, stated), Witness(()))
    for changes in (
        {"reference": Reference("unlearn-retrained", 5)},
        {"reference": Reference("retrained", 4)},
        {"reference": Reference("unlearn-retrained", 4, F(1), None)},
        {"reference": Reference("unlearn-retrained", 4, None, F(1))},
    ):
        other = small(**changes)
        proof, stated = line(other)
        with pytest.raises(NotApplicable):
            contractive(proof, stated, steps(proof, "Q"))


def test_shifts_of_another_schedule_are_refused():
    run, stated, *rates = course([(4, F(1, 2), F(1), F(1))])
    with pytest.raises(NotApplicable, match="other steps"):
        i1(run, (replace(stated, shifts=((5, arb(1)),)), *rates), Witness((Block(3, F(0), F(1)),)))
    drift = Drift(((3, arb(1), arb(1)),), None)
    with pytest.raises(NotApplicable, match="other steps"):
        i1(run, (drift,), Witness((Block(3, F(0), F(1)),)))
    drift = Drift(((4, arb(1), arb(1)),), None)
    assert i1(run, (drift,), Witness((Block(3, F(1), F(1)),))).statement.mu == 2
    with pytest.raises(NotApplicable):
        i1(run, (drift, *rates), Witness((Block(3, F(1), F(1)),)))


def test_output_noise_is_one_more_step():
    run, stated, *rates = course([(4, F(1, 2), F(1), F(0))])
    noisy = replace(run, output_variance=F(4))
    found = i1(noisy, (stated, *rates), Witness((Block(4, F(0), F(1)),))).statement
    assert found.mu == ball(F(15, 16))


def test_a_restart_starts_a_diameter_apart():
    run = small(
        projection=F(3), learn=Phase(40, F(1, 2), F(1, 16)), reference=Reference("unlearn-retrained", 40)
    )
    proof, stated = line(run, 10)
    found = contractive(proof, stated, steps(proof, "Q")).statement
    course_ = coupled(run, (stated.statement, *(s.statement for s in steps(proof, "Q"))))
    assert course_.distance == 6
    assert sum(s.count for s in course_.stretches) == 9
    assert found.mu > 0
    with pytest.raises(NotApplicable):
        coupled(replace(run, projection=None), (stated.statement,))
    with pytest.raises(NotApplicable, match="output noise"):
        coupled(
            replace(run, reference=replace(run.reference, output_variance=F(1))), (stated.statement,)
        )


def test_in_one_dimension_the_bound_is_exact_where_both_maps_are_one_contraction():
    """Logistic with an (almost) linear slope is not needed: a constant shift under w -> c w + s."""
    stretches = [(5, F(3, 4), F(1), F(1)), (7, F(3, 4), F(0), F(1))]
    mean = sum(F(3, 4) ** (11 - t) for t in range(5))
    variance = sum(F(3, 4) ** (2 * t) for t in range(12))
    assert close(bound(stretches), mean**2 / variance)


MUS = {
    "huber-diabetes": "0.018951101",
    "logistic-breast-cancer": "0.035883743",
    "logistic-output-noise": "0.068118684",
    "softmax-iris": "0.024297462",
}


@pytest.mark.parametrize("name", MUS)
def test_numbers_of_the_specs(name):
    from certaudit.spec.build import build_run
    from certaudit.spec.load import load_spec

    run = build_run(load_spec(Path(__file__).parents[2] / "specs" / f"{name}.yaml"))
    proof, stated = line(run)
    found = contractive(proof, stated, steps(proof, "Q")).statement
    assert abs(found.mu / arb(MUS[name]) - 1) < arb("1e-7")


def test_everything_shown_is_what_was_evaluated():
    run = small(requests=(Request((1,), Phase(3, F(1, 4), F(1, 16))),))
    proof, stated = line(run)
    found = contractive(proof, stated, steps(proof, "Q"))
    formula, values = found.conclusion.shown[-1]
    assert str(formula) == "mu = sqrt(E)"
    assert formula.at(values).overlaps(found.statement.mu)
    assert isinstance(stated.statement, Sensitivity)
