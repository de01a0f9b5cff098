"""From per-step sensitivity to a Gaussian-DP bound (section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from flint import arb

from certaudit.kernel import schedule
from certaudit.kernel.balls import ball, lower, upper
from certaudit.kernel.expr import equation, evaluate
from certaudit.kernel.residual import lipschitz
from certaudit.kernel.schedule import Pair
from certaudit.kernel.statement import NotApplicable, Premise, Rule, Statement, expect
from certaudit.run import Run, World

I1 = Rule("I1", "Contractive noisy iteration", "section 4; BSA24 in its general form")
I2 = Rule("I2", "Adaptive composition of every released step", "section 4; Dong, Roth, Su 2022")

C, s, sigma2, U, W, mu, c, z, u, w = sp.symbols("C s sigma^2 U W mu c z u w", nonnegative=True)
block, n = sp.Symbol("B", integer=True), sp.Symbol("n", integer=True, positive=True)
c_n, g1, g2 = sp.symbols("c^n g_1 g_2", nonnegative=True)

SHIFT = equation(u, C * s * g1)
START = equation(u, C * (s * g1 + c_n * z))
NOISE = equation(w, C**2 * sigma2 * g2)
SUM = equation(g1, (1 - c_n) / (1 - c))
SQUARES = equation(g2, (1 - c_n**2) / (1 - c**2))
ENERGY = U**2 / W
POOLED = equation(
    mu**2, sp.Sum(sp.Indexed("U", block) ** 2 / sp.Indexed("W", block), (block, 1, sp.Symbol("b")))
)
COMPOSED = equation(
    mu**2,
    sp.Sum(sp.Indexed("s", block) ** 2 / sp.Indexed("sigma^2", block), (block, 1, sp.Symbol("T"))),
)
GAUSSIAN_STEP = s**2 / sigma2
DIAMETER = 2

MOST_SINGLE_STEPS = 20000
MOST_GROWTH = 10000.0


@dataclass(frozen=True)
class Block:
    """``count`` equal steps: Lipschitz constant, shift and noise variance of each."""

    count: int
    contraction: arb
    shift: arb
    noise_variance: arb


def pooled_energy(blocks: Sequence[Block], initial_distance: arb) -> arb:
    """mu^2 = min sum (a_t/sigma_t)^2 with z_{t+1} = c_t z_t + s_t - a_t >= 0, z_N = 0.

    With C_t = product of c after step t, u_t = C_t s_t (u_0 also carries C_0 c_0 z_0) and
    w_t = C_t^2 sigma_t^2, the minimum is the energy of the greatest convex minorant of
    (sum w, sum u): pool adjacent violators, then sum U^2/W over pools.  n equal steps with c <= 1 have
    u_t/w_t falling, so they are one pool, with u = C s g_1, w = C^2 sigma^2 g_2 and geometric sums g.
    c and u are rounded up and w down to exact numbers first, which is the theorem for c and s a little
    larger and sigma a little smaller, so the pooling itself compares exact numbers.  Infinite if a
    shift follows the last noise.  Raises NotApplicable for more steps with c > 1 than can be listed.
    """
    later = arb(1)
    points: list[tuple[Fraction, Fraction]] = []
    listed = list(_listed(blocks))
    for k in reversed(range(len(listed))):
        one = listed[k]
        rate, power, values = one.contraction, one.contraction**one.count, {C: later}
        values |= {s: one.shift, sigma2: one.noise_variance, c: rate, c_n: power, z: initial_distance}
        several = one.count > 1 and rate < 1
        values[g1] = evaluate(SUM, values) if several else arb(one.count)
        values[g2] = evaluate(SQUARES, values) if several else arb(one.count)
        size = evaluate(SHIFT if k else START, values)
        points.append((upper(size), max(lower(evaluate(NOISE, values)), Fraction(0))))
        later = (later * power).upper()
    pools: list[tuple[Fraction, Fraction]] = []
    for total_u, total_w in reversed(points):
        while pools and pools[-1][0] * total_w >= total_u * pools[-1][1]:
            last_u, last_w = pools.pop()
            total_u, total_w = total_u + last_u, total_w + last_w
        pools.append((total_u, total_w))
    energy = arb(0)
    for total_u, total_w in pools:
        if total_u > 0 and total_w == 0:
            return arb("inf")
        if total_u > 0:
            energy += evaluate(ENERGY, {U: ball(total_u), W: ball(total_w)})
    return energy


def contractive_iteration(sensitivity: Statement, steps: Sequence[Statement]) -> Statement:
    """I1: the released models are mu-GDP, up to the sensitivity's delta (section 3, S3).

    Premises: both worlds take the same steps with the same noise, from the same point or draw
    (z_0 = 0), or, after a restart, from one ball of radius R (z = 2R); each step satisfies
    |phi(a) - phi'(b)| <= c |a - b| + s_t, c the Lipschitz constant of the map of either world for S1
    and S2, of the *other* world for S3 and S4, from ``steps``; S1-drift brings its own.  Output noise is
    one more step with c = 1 and s = 0.  The observer sees the final model only.
    Conclusion: Gaussian DP with mu, and delta = P(some bound breaks), in the directions named.
    """
    expect(sensitivity, "sensitivity")
    run: Run = sensitivity.subject  # type: ignore[assignment]
    last = sensitivity.exact["last"]
    pairs = schedule.whole(I1, run) if last is None else schedule.last(I1, run, last)
    if run.output_noise("P") != run.output_noise("Q"):
        raise NotApplicable(I1, "the output noise of the reference is another")
    partner: World = "P" if sensitivity.exact["world"] == "Q" else "Q"
    known = lipschitz(steps)
    used: dict[Statement, None] = {}
    blocks = []
    for count, pair, k in _side_by_side(pairs, sensitivity.exact["repeats"]):
        if "c" in sensitivity.values:
            rate = sensitivity.values["c"][k]
        else:
            key = pair.batch(partner), pair.step_size
            if key not in known:
                raise TypeError("I1: the contraction of a step is missing")
            used[known[key]] = None
            rate = ball(known[key].exact["bound"])
        shift = sensitivity.values["s"][k]
        blocks.append(Block(count, rate, shift, ball(pair.noise_variance)))
    if run.output_variance > 0:
        blocks.append(Block(1, arb(1), arb(0), ball(run.output_variance)))
    restart = arb(0)
    premise = Premise("start", "both runs share the law of w_0, so z_0 = 0")
    if last is not None:
        assert run.projection is not None
        restart = DIAMETER * ball(run.projection)
        premise = Premise(
            "restart", f"both lie in one ball before the last {last} steps", {"z": restart}
        )
    energy = pooled_energy(blocks, restart)
    return I1.conclude(
        "gaussian-dp",
        formulas=(SUM, SQUARES, SHIFT, START, NOISE, POOLED),
        values={"mu": energy.sqrt(), "delta": sensitivity.ball("delta"), "mu_squared": energy},
        exact={"directions": _directions(sensitivity), "observer": "final"},
        premises=(premise,),
        uses=(sensitivity, *used),
        subject=run,
    )


def composition(sensitivity: Statement) -> Statement:
    """I2: an observer of every iterate learns at most mu^2 = sum (s_t/sigma_t)^2.

    Given the past, one step of the two runs is a pair of Gaussians s_t apart with the same
    covariance; steps that are the same map in both runs add nothing.
    """
    expect(sensitivity, "sensitivity")
    run: Run = sensitivity.subject  # type: ignore[assignment]
    if "c" in sensitivity.values or sensitivity.exact["last"] is not None:
        raise TypeError("I2: needs the shifts of all the steps, from the first")
    pairs = schedule.whole(I2, run)
    energy = arb(0)
    for count, pair, k in _side_by_side(pairs, sensitivity.exact["repeats"]):
        shift = sensitivity.values["s"][k]
        if shift.is_zero():
            continue
        if pair.noise_variance == 0:
            raise NotApplicable(I2, "a step that removes a point adds no noise")
        energy += count * evaluate(GAUSSIAN_STEP, {s: shift, sigma2: ball(pair.noise_variance)})
    return I2.conclude(
        "gaussian-dp",
        formulas=(COMPOSED,),
        values={"mu": energy.sqrt(), "delta": sensitivity.ball("delta"), "mu_squared": energy},
        exact={"directions": _directions(sensitivity), "observer": "every-step"},
        uses=(sensitivity,),
        subject=run,
    )


def _directions(sensitivity: Statement) -> tuple[str, ...]:
    directions = {"P": ("P|Q",), "Q": ("Q|P",), "any": ("P|Q", "Q|P")}
    return directions[sensitivity.exact["world"]]


def _side_by_side(pairs: Sequence[Pair], repeats: Sequence[int]) -> Iterator[tuple[int, Pair, int]]:
    """(count, steps, index of the shift) over the stretches on which both are constant."""
    if sum(repeats) != sum(pair.count for pair in pairs):
        raise TypeError("the shifts are those of another schedule")
    k, left = 0, repeats[0] if repeats else 0
    for pair in pairs:
        rest = pair.count
        while rest:
            while not left:
                k, left = k + 1, repeats[k + 1]
            count = min(rest, left)
            yield count, pair, k
            rest, left = rest - count, left - count


def _listed(blocks: Sequence[Block]) -> Iterator[Block]:
    singles, growth = 0, 0.0
    for one in blocks:
        rate = one.contraction.upper()
        growth += one.count * max(float(rate.log()), 0.0) if rate > 0 else 0.0
        if growth > MOST_GROWTH:
            raise NotApplicable(I1, "not attempted: the steps expand by too much in all")
        if rate <= 1 or one.count == 1:
            yield Block(one.count, rate, one.shift, one.noise_variance)
            continue
        singles += one.count
        if singles > MOST_SINGLE_STEPS:
            raise NotApplicable(I1, f"not attempted: more than {MOST_SINGLE_STEPS} steps expand")
        yield from (Block(1, rate, one.shift, one.noise_variance) for _ in range(one.count))
