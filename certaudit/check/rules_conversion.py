"""Rényi divergences (R1, R2, R4), and from one notion of closeness to another (C3, C5)."""

from __future__ import annotations

from typing import Any

from gmpy2 import mpq

from .affine import geometric
from .document import number, numbers, record
from .interval import HALF, ONE, TWO, ZERO, Interval, gaussian_delta, greater, lesser, real
from .refusal import need
from .rules_iteration import TOWARDS, need_one_noise
from .rules_law import constant, contractions
from .run import at_least_0
from .statement import GaussianCover, GaussianDP, HockeyStick, Renyi, ResidualLaw, Statement
from .steps import Context, Match, all_of, each, first_of, matched, removing


def read_order(value: Any) -> mpq:
    """A Rényi order above 1."""
    found = number(value)
    need(found > 1, "an order of 1 or less")
    return found


def from_gaussian(context: Context, found: list[Statement], witness: Any) -> Statement:
    """R1: mu-GDP without slack gives D_alpha <= alpha mu^2 / 2."""
    (value,) = record(witness, "order")
    order, bound = read_order(value), first_of(found, GaussianDP)
    need(bound.delta.is_zero(), "a Gaussian bound with slack")
    r = (real(order) * HALF * bound.mu.square()).top()
    return Renyi(bound.directions, bound.observer, "upper", order, r)


def decay(context: Context, found: list[Statement], witness: Any) -> Statement:
    """R2: while both worlds follow one kernel D_alpha shrinks by (c^2 C / (c^2 C + sigma^2))^(1/alpha) a
    step, C <- c^2 C + sigma^2 the log-Sobolev constant of the second law; the factors telescope."""
    record(witness)
    bound, matches = first_of(found, Renyi, alone=False), matched(context)
    need(
        bound.observer == "every-step" and len(bound.directions) == 1, "needs every step, one direction"
    )
    need_one_noise(context, matches)
    world, known = bound.directions[0][2], contractions(found[1:])
    rates = each(matches, lambda match: constant(known, match.step(world)).square())
    stages = [*zip(matches, rates, strict=True)]
    different = [number for number, match in enumerate(matches, 1) if match.p is not match.q]
    shared = different[-1] if different else 0
    sobolev = _sobolev(world, stages[:shared], real(context.run.variance))
    end = _sobolev(world, stages[shared:], sobolev) + real(context.run.output)
    kept = sobolev
    for match, rate in stages[shared:]:
        kept = kept * rate.power(match.count)
    factor = lesser(ONE, (kept / end).top()) if end.lo > 0 else ONE
    power = (factor.log() / real(bound.order)).exp() if factor.lo > 0 else ZERO
    return Renyi(bound.directions, "final", "upper", bound.order, (bound.r * power).top())


def _sobolev(world: str, stages: list[tuple[Match, Interval]], before: Interval) -> Interval:
    for match, rate in stages:
        noise = real(match.step(world).noise) * geometric(rate, match.count)
        before = before * rate.power(match.count) + noise
    return before


def adaptive(context: Context, found: list[Statement], witness: Any) -> Statement:
    """R4: Hölder from the last costing step to the first, E exp(kappa r^2) exactly; one row a step."""
    value, listed = record(witness, "order", "exponents")
    order, law, matches = read_order(value), first_of(found, ResidualLaw), removing(context)
    need(context.run.normalizer != "current", "the divisor changes with the removal")
    need_one_noise(context, matched(context))
    costing = [pair for pair in zip(matches, law.laws, strict=True) if pair[1]][::-1]
    exponents = numbers(listed, max(len(costing) - 1, 0))
    need(all(p > 1 for p in exponents), "an exponent of 1 or less")
    shares = each([match for match, _ in costing], lambda match: _share(context, match))
    alpha, r = real(order), ZERO
    steps = zip(shares, costing, [*map(real, exponents), ONE], strict=False)
    for share, (_, ((mean, variance),)), p in steps:
        rate = p * (alpha - ONE)
        kappa = rate * alpha * share
        left = ONE - TWO * kappa * variance
        need(left > ZERO, "the moment is infinite")
        r = r + (kappa * mean.square() / left - left.log() * HALF) / rate
        if not p.same(ONE):
            alpha = ONE + (alpha - ONE) * p / (p - ONE)
    return Renyi(TOWARDS[law.world], "every-step", "upper", order, r.top())


def _share(context: Context, match: Match) -> Interval:
    """(eta |x| / N)^2 / (2 sigma^2)."""
    need(len(match.removed) == 1, "more than one row is removed from one step")
    need(match.p.noise > 0, "a step without noise")
    move = real(match.p.size) * context.length(match.removed[0])
    return (move / real(context.run.divisor(match.p.batch))).square() / (TWO * real(match.p.noise))


def tangent(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C3: p^alpha q^(1-alpha) + (1-p)^alpha (1-q)^(1-alpha) <= e^((alpha-1) r) lies in the half-plane
    p <= cut + slope q by its tangents at p/q = inside and (1-p)/(1-q) = outside; there the largest
    p - e^epsilon q over 0 <= q, p <= 1 is at q = 0 or at p = 1."""
    epsilon, inside, outside = map(number, record(witness, "epsilon", "log_inside", "log_outside"))
    bound = first_of(found, Renyi)
    need(bound.kind != "lower" and inside > outside, "no upper bound, or a tangent at p <= q")
    alpha, above = real(bound.order), real(bound.order) - ONE
    a, b = ((above * real(x)).exp() for x in (inside, outside))
    big, small = a * real(inside).exp(), b * real(outside).exp()
    steep = alpha * (a - b)
    cut = greater(ZERO, ((above * bound.r).exp() - alpha * b + above * small) / steep)
    slope = above * (big - small) / steep
    gain = greater(ZERO, ONE - real(epsilon).exp() / slope)
    delta = lesser(ONE, cut + greater(ZERO, ONE - cut) * gain)
    return HockeyStick(bound.directions, bound.observer, "upper", epsilon, delta.top())


def gaussian(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C5: delta = Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu), and the slack."""
    (value,) = record(witness, "epsilon")
    bound, epsilon = first_of(found, GaussianDP), number(value)
    delta = gaussian_delta(bound.mu.top(), real(epsilon)) + bound.delta
    return HockeyStick(bound.directions, bound.observer, "upper", epsilon, delta.top())


def cover(context: Context, found: list[Statement], witness: Any) -> Statement:
    """C5 backwards: delta(eps) falls, so its value at one node is at most the curve's at the next."""
    wide, slack = record(witness, "mu", "delta")
    mu, delta, sticks = at_least_0(wide), at_least_0(slack), all_of(found, HockeyStick)
    need(bool(sticks) and sticks[0].epsilon == 0, "the first epsilon is not 0")
    directions = tuple(d for d in sticks[0].directions if all(d in stick.directions for stick in sticks))
    need(
        len(directions) > 0 and all(stick.kind != "lower" for stick in sticks),
        "no bounds of one direction",
    )
    for stick, after in zip(sticks, [*sticks[1:], None], strict=True):
        level = real(delta)
        if after is not None:
            need(after.epsilon > stick.epsilon, "the epsilons do not increase")
            level = level + gaussian_delta(real(mu), real(after.epsilon))
        need(stick.delta <= level, "the curve passes above the Gaussian one")
    observers = {stick.observer for stick in sticks}
    seen = "every-step" if observers == {"every-step"} else "final"
    return GaussianCover(directions, seen, "upper", mu, delta)
