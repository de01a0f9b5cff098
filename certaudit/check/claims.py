"""What a certificate claims, and whether the lines it names show that or its contrary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gmpy2 import mpq

from .document import MOST_COUNT, choice, count, items, number, record, text
from .interval import HALF, Interval, gaussian_delta, real
from .observer import at_least
from .refusal import Refused, need
from .run import optional
from .statement import (
    BOTH,
    Divergence,
    Exceedance,
    GaussianCover,
    GaussianDP,
    HockeyStick,
    Renyi,
    Sensitivity,
    Statement,
)

THEOREMS = (
    *("benarroch-2026", "chien-2024a", "chien-2024b", "guo-2020"),
    *("koloskova-2025", "neel-2021", "sepahvand-2025"),
)
KINDS = {
    "epsilon-delta": ("epsilon", "delta", "directions"),
    "renyi": ("order", "renyi", "directions"),
    "gaussian": ("mu", "delta", "directions"),
    "sensitivity": ("step", "sensitivity", "probability"),
}


@dataclass(frozen=True)
class Claim:
    """A claim: ``at`` is the epsilon, the order or the step, ``size`` what is claimed there, ``slack``
    the probability it leaves, ``cases`` the directions or the worlds."""

    name: str
    kind: str
    at: mpq
    size: mpq
    slack: mpq
    cases: tuple[str, ...]


def read_claim(value: Any, requests: int, complete: bool) -> Claim:
    """A claim about the run that stops after so many requests, all of them if ``complete``."""
    need(type(value) is dict, "expected a claim")
    kind = choice(value.get("kind"), *KINDS)
    fields = record(value, "kind", "id", *KINDS[kind], "theorem", "after")
    name, first, second, third, theorem, after = fields[1:]
    optional(theorem, lambda word: choice(word, *THEOREMS))
    stage = optional(after, lambda k: count(k, least=1))
    need(stage == requests or (stage is None and complete), "the claim is about another stage")
    text(name)
    if kind == "sensitivity":
        step, size, slack = count(first, MOST_COUNT, 1), number(second), number(third)
        need(size >= 0 and 0 <= slack <= 1, "a sensitivity below 0, or no probability")
        return Claim(name, kind, mpq(step), size, slack, ("P", "Q"))
    cases = tuple(choice(case, *BOTH) for case in items(third, 2))
    need(0 < len(cases) == len(set(cases)), "no direction, or one twice")
    at, size = number(first), number(second)
    if kind == "epsilon-delta":
        need(at >= 0 and 0 <= size <= 1, "an epsilon below 0, or delta is no probability")
        return Claim(name, kind, at, mpq(0), size, cases)
    if kind == "renyi":
        need(at > 1 and size >= 0, "an order of 1 or less, or a divergence below 0")
        return Claim(name, kind, at, size, mpq(0), cases)
    need(at >= 0 and 0 <= size <= 1, "mu is below 0, or delta is no probability")
    return Claim(name, kind, mpq(0), at, size, cases)


def judge(claim: Claim, verdict: str, lines: Sequence[Statement], release: str) -> None:
    """Refuse unless these lines, and no others, give the verdict."""
    if verdict == "refuted":
        need(len(lines) == 1, "one line refutes")
        need(_breaks(claim, lines[0], release), "the line does not refute the claim")
        return
    need(len(lines) in (1, len(claim.cases)), "one line for each case, or one for all")
    for case, line in zip(
        claim.cases, lines if len(lines) > 1 else [*lines] * len(claim.cases), strict=True
    ):
        if not _proves(claim, case, line, release):
            raise Refused(f"the line does not prove the claim for {case}")
    whole = claim.kind != "gaussian" or set(claim.cases) == set(BOTH)
    covered = any(isinstance(line, GaussianCover) for line in lines)
    need(whole or not covered, "covers of epsilon >= 0 prove both directions or none")


def _at_most(bound: Interval, claimed: mpq) -> bool:
    return bool(bound.hi <= claimed)


def _proves(claim: Claim, case: str, line: Statement, release: str) -> bool:
    if isinstance(line, Divergence):
        seen = at_least(line.observer, release)
        if not (seen and case in line.directions and line.kind in ("exact", "upper")):
            return False
    match claim.kind, line:
        case "epsilon-delta", HockeyStick(epsilon=epsilon, delta=delta):
            return bool(epsilon <= claim.at) and _at_most(delta, claim.slack)
        case "renyi", Renyi(order=order, r=r):
            return order >= claim.at and _at_most(r, claim.size)
        case "gaussian", GaussianDP(mu=mu, delta=delta):
            return _at_most(mu, claim.size) and _at_most(delta, claim.slack)
        case "gaussian", GaussianCover(mu=mu, delta=delta):
            return bool(mu <= claim.size and delta <= claim.slack)
        case "sensitivity", Exceedance(world, step, size, probability):
            return (
                world == case
                and step == claim.at
                and size <= claim.size
                and _at_most(probability, claim.slack)
            )
        case "sensitivity", Sensitivity(world, shifts, None, delta):
            shift = _shift(shifts, int(claim.at))
            return (
                world in (case, "any")
                and shift is not None
                and _at_most(shift, claim.size)
                and _at_most(delta, claim.slack)
            )
    return False


def _shift(shifts: tuple[tuple[int, Interval], ...], step: int) -> Interval | None:
    for times, shift in shifts:
        if step <= times:
            return shift
        step -= times
    return None


def _breaks(claim: Claim, line: Statement, release: str) -> bool:
    if isinstance(line, Divergence) and not (
        set(claim.cases) & set(line.directions)
        and line.kind in ("exact", "lower")
        and at_least(release, line.observer)
    ):
        return False
    match claim.kind, line:
        case "epsilon-delta", HockeyStick(epsilon=epsilon, delta=delta):
            return epsilon >= claim.at and bool(delta.lo > claim.slack)
        case "renyi", Renyi(order=order, r=r):
            return order <= claim.at and bool(r.lo > claim.size)
        case "gaussian", HockeyStick(epsilon=epsilon, delta=delta):
            curve = gaussian_delta(real(claim.size), real(epsilon)) + real(claim.slack)
            return delta.bottom() > curve
        case "gaussian", Renyi(order=order, r=r):
            return claim.slack == 0 and r.bottom() > real(order) * real(claim.size).square() * HALF
        case "sensitivity", Exceedance(_, step, size, probability):
            return step == claim.at and size >= claim.size and bool(probability.lo > claim.slack)
    return False
