"""From shifts to Gaussian DP, and from one kind of bound to another, again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mpf

from certaudit.check.document import Rejected, exact, listed, show
from certaudit.check.known import DIRECTIONS, Known, Stage, ends, mpf_of, total
from certaudit.check.model import Stretch
from certaudit.check.steps import rates

MOST_SINGLES = 20000
CANCELLATION = 80
"""Extra digits where nearly equal numbers are subtracted."""

Leg = tuple[mpf, mpf]


def contractive_iteration(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """I1, with the contraction of the map of the world other than the sensitivity's."""
    if not used or used[0].kind != "sensitivity":
        raise Rejected("uses", "first comes a sensitivity")
    run, shifts, last = stage.run, used[0], used[0].exact["last"]
    stretches = run.coupled if last is None else run.last(last)
    if run.output != run.reference_output:
        raise Rejected("", "the output noise of the reference is another")
    partner = "P" if shifts.exact["world"] == "Q" else "Q"
    own = shifts.values.get("c")
    wanted = [] if own else [(one.batch(partner), one.step_size) for one in stretches]
    known = rates(used[1:], wanted)
    distance = mpf(0) if last is None else 2 * mpf_of(run.projection)
    parts = [
        (
            count,
            own[k] if own else mpf_of(known[one.batch(partner), one.step_size]),
            shifts.values["s"][k],
            mpf_of(one.variance),
        )
        for count, one, k in _aligned(stretches, shifts.exact["repeats"])
    ]
    if run.output:
        parts.append((1, mpf(1), mpf(0), mpf_of(run.output)))
    energy = least_energy(parts, distance)
    text = f"both lie in one ball before the last {last} steps"
    same = "both runs share the law of w_0, so z_0 = 0"
    return Known(
        {"directions": DIRECTIONS[shifts.exact["world"]], "observer": "final"},
        {"mu": mpmath.sqrt(energy), "delta": shifts.values["delta"], "mu_squared": energy},
        (
            "g_1 = (1 - c^n)/(1 - c)",
            "g_2 = (1 - c^n**2)/(1 - c**2)",
            "u = C*g_1*s",
            "u = C*(c^n*z + g_1*s)",
            "w = C**2*g_2*sigma^2",
            "mu**2 = Sum(U[B]**2/W[B], (B, 1, b))",
        ),
        (("start", same, {}) if last is None else ("restart", text, {"z": distance}),),
    )


def least_energy(parts: Sequence[tuple[int, mpf, mpf, mpf]], distance: mpf) -> mpf:
    """min of sum (a_t/sigma_t)^2 with z_{t+1} = c_t z_t + s_t - a_t >= 0, z_0 = ``distance``, z_N = 0.

    Seen from the end, with C_t the product of the later c, step t has width C_t^2 sigma_t^2 and height
    C_t s_t; the least energy is that of the lower convex hull of the steps laid end to end, kept as legs
    of rising slope.  ``parts`` are (steps, c, s, sigma^2); equal steps with c <= 1 lie above their
    chord, so that one leg stands for them.
    """
    later = mpf(1)
    legs: list[Leg] = []
    singles = [one for part in parts for one in _split(part)]
    if len(singles) > len(parts) + MOST_SINGLES:
        raise Rejected("", "too many steps expand")
    for k, (count, c, s, variance) in reversed(list(enumerate(singles))):
        power = c**count
        first = (1 - power) / (1 - c) if c != 1 else mpf(count)
        second = (1 - power**2) / (1 - c**2) if c != 1 else mpf(count)
        size = later * (s * first + (power * distance if k == 0 else 0))
        legs.append((later**2 * variance * second, size))
        later *= power
    hull: list[Leg] = []
    for width, height in reversed(legs):
        while hull and hull[-1][1] * width >= height * hull[-1][0]:
            before = hull.pop()
            width, height = width + before[0], height + before[1]
        hull.append((width, height))
    if any(not width and height for width, height in hull):
        return mpf("inf")
    return total(height**2 / width for width, height in hull if height)


def _split(part: tuple[int, mpf, mpf, mpf]) -> Iterator[tuple[int, mpf, mpf, mpf]]:
    count, c, s, variance = part
    if c <= 1:
        yield part
    else:
        if count > MOST_SINGLES:
            raise Rejected("", "too many steps expand")
        yield from ((1, c, s, variance) for _ in range(count))


def _aligned(stretches: Sequence[Stretch], repeats: Sequence[int]) -> Iterator[tuple[int, Stretch, int]]:
    """(count, stretch, index of the shift) where both are constant."""
    if sum(repeats) != sum(one.count for one in stretches):
        raise Rejected("uses", "the shifts are those of other steps")
    k, left = -1, 0
    for one in stretches:
        rest = one.count
        while rest:
            while not left:
                k, left = k + 1, repeats[k + 1]
            count = min(rest, left)
            yield count, one, k
            rest, left = rest - count, left - count


def composition(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """I2: mu^2 = sum of (s_t/sigma_t)^2."""
    (shifts,) = used
    if "c" in shifts.values or shifts.exact["last"] is not None:
        raise Rejected("uses", "needs the shifts of all the steps, from the first")
    parts = []
    for count, one, k in _aligned(stage.run.coupled, shifts.exact["repeats"]):
        shift = shifts.values["s"][k]
        if shift:
            if not one.variance:
                raise Rejected("", "a step that removes a point adds no noise")
            parts.append(count * shift**2 / mpf_of(one.variance))
    energy = total(parts)
    return Known(
        {"directions": DIRECTIONS[shifts.exact["world"]], "observer": "every-step"},
        {"mu": mpmath.sqrt(energy), "delta": shifts.values["delta"], "mu_squared": energy},
        ("mu**2 = Sum(s[B]**2/sigma^2[B], (B, 1, T))",),
    )


def _scope(used: Known) -> dict[str, Any]:
    return {key: used.exact[key] for key in ("directions", "observer")}


def renyi_of_gaussian(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """R1: alpha mu^2/2."""
    order = exact(given.get("order"), "exact.order")
    if order <= 1 or used[0].values["delta"] != 0:
        raise Rejected("", "needs an order above 1, and Gaussian DP without slack")
    return Known(
        {"order": order, "exactness": "upper", **_scope(used[0])},
        {"r": mpf_of(order) * mpf_of(used[0].values["mu"]) ** 2 / 2},
        ("r = alpha*mu**2/2",),
    )


def epsilon_of_renyi(
    stage: Stage, given: dict[str, Any], used: Sequence[Known], improved: bool
) -> Known:
    """C1 and C2."""
    slack = exact(given.get("delta"), "exact.delta")
    if not 0 < slack <= 1:
        raise Rejected("exact.delta", f"{show(slack)} is not above 0 and at most 1")
    a, d, r = mpf_of(used[0].exact["order"]), mpf_of(slack), mpf_of(used[0].values["r"])
    value = r - mpmath.log(d) / (a - 1)
    formula = "epsilon = r + log(1/delta)/(alpha - 1)"
    if improved:
        value = max(mpf(0), value + mpmath.log((a - 1) / a) - mpmath.log(a) / (a - 1))
        formula = "epsilon = Max(0, r + log((alpha - 1)/alpha) - (log(alpha) + log(delta))/(alpha - 1))"
    return Known({"delta": slack, **_scope(used[0])}, {"epsilon": value}, (formula,))


def mironov(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """C1."""
    return epsilon_of_renyi(stage, given, used, False)


def improved(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """C2."""
    return epsilon_of_renyi(stage, given, used, True)


def optimal(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """C3, by the tangent plane of the ratios e^u inside and e^v outside the event."""
    epsilon = exact(given.get("epsilon"), "exact.epsilon")
    hint = [exact(x, "exact.log_ratios") for x in listed(given.get("log_ratios"), "exact.log_ratios")]
    if len(hint) != 2 or not hint[0] > hint[1]:
        raise Rejected("exact.log_ratios", "not two numbers, the first larger")
    order, r = used[0].exact["order"], mpf_of(used[0].values["r"])
    gap = -mpmath.log(mpf_of(hint[0] - hint[1]), 10)
    with mpmath.workdps(mpmath.mp.dps + CANCELLATION + 2 * max(0, int(gap))):
        a, u, v = mpf_of(order), mpf_of(hint[0]), mpf_of(hint[1])
        below = a * (mpmath.exp((a - 1) * u) - mpmath.exp((a - 1) * v))
        c = mpmath.exp((a - 1) * r) - a * mpmath.exp((a - 1) * v) + (a - 1) * mpmath.exp(a * v)
        c /= below
        s = (a - 1) * (mpmath.exp(a * u) - mpmath.exp(a * v)) / below
        rest = max(mpf(0), 1 - c) * max(mpf(0), 1 - mpmath.exp(mpf_of(epsilon)) / s)
        value = mpf(1) if mpmath.isinf(r) else min(mpf(1), c + rest)
    return Known(
        {"epsilon": epsilon, "exactness": "upper", "log_ratios": hint, **_scope(used[0])},
        {"delta": +value},
        (
            "A = exp(u)",
            "B = exp(v)",
            "c = (B**alpha*(alpha - 1) - B**(alpha - 1)*alpha + exp(r*(alpha - 1)))/"
            "(alpha*(A**(alpha - 1) - B**(alpha - 1)))",
            "s = (A**alpha - B**alpha)*(alpha - 1)/(alpha*(A**(alpha - 1) - B**(alpha - 1)))",
            "delta = Min(1, c + Max(0, 1 - c)*Max(0, 1 - exp(epsilon)/s))",
        ),
    )


def gaussian_delta(mu: mpf, epsilon: mpf) -> mpf:
    """C5: Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu), with digits to spare for the difference."""
    if mu == 0 or mpmath.isinf(mu):
        return mpf(0) if mu == 0 else mpf(1)
    loss = max(0, int(mpmath.log(1 + 1 / mu + abs(epsilon) / mu, 10)))
    with mpmath.workdps(mpmath.mp.dps + CANCELLATION + 3 * loss):
        near, far = epsilon / mu - mu / 2, epsilon / mu + mu / 2
        root = mpmath.sqrt(2)
        value = (mpmath.erfc(near / root) - mpmath.exp(epsilon) * mpmath.erfc(far / root)) / 2
    return +value


def hockey_stick_of_gaussian(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """C5 plus the slack of the Gaussian-DP bound."""
    epsilon = exact(given.get("epsilon"), "exact.epsilon")
    if epsilon < 0:
        raise Rejected("exact.epsilon", "negative")
    mu, slack = (mpf_of(used[0].values[name]) for name in ("mu", "delta"))
    return Known(
        {"epsilon": epsilon, "exactness": "upper", **_scope(used[0])},
        {"delta": gaussian_delta(mu, mpf_of(epsilon)) + slack},
        (
            "delta = -exp(epsilon)*erfc(sqrt(2)*(epsilon/mu + mu/2)/2)/2"
            " + erfc(sqrt(2)*(epsilon/mu - mu/2)/2)/2",
        ),
    )


def adaptive(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """R4: from the last step that costs to the first, each with its Hölder exponent but the first."""
    run, (law,) = stage.run, used
    order = exact(given.get("order"), "exact.order")
    exponents = [exact(x, "exact.exponents") for x in listed(given.get("exponents"), "exact.exponents")]
    if run.normalizer == "current" or order <= 1:
        raise Rejected("", "needs the normalizer `fixed` or `sum`, and an order above 1")
    costly: list[tuple[int, int, Stretch]] = []
    t = 0
    for one in run.coupled:
        rows = run.removed(one)
        if len(rows) > 1 or (rows and not one.variance):
            raise Rejected("", "needs one removed point, and noise, at every step that costs")
        costly += [(t + k, rows[0], one) for k in range(one.count if rows else 0)]
        t += one.count
    if len(exponents) != max(len(costly) - 1, 0) or any(p <= 1 for p in exponents):
        raise Rejected("exact.exponents", "not one above 1 for each later step that costs")
    level, value = mpf_of(order), mpf(0)
    for (t, row, one), p in zip(costly[::-1], [*map(mpf_of, exponents), mpf(1)], strict=False):
        mean, variance = (mpf_of(law.values[name][t][0]) for name in ("mean", "variance"))
        scale = mpf_of(one.step_size) / run.size(one.p) * stage.norms([row])[0]
        kappa = p * (level - 1) * level * scale**2 / (2 * mpf_of(one.variance))
        room = 1 - 2 * kappa * variance
        if room <= mpf(10) ** -15:
            if room > -(mpf(10) ** -15):
                raise Rejected("", "an expectation is too close to infinite")
            value = mpf("inf")
            break
        value += (kappa * mean**2 / room - mpmath.log(room) / 2) / (p * (level - 1))
        level = 1 + (level - 1) * p / (p - 1) if p > 1 else level
    return Known(
        {
            "order": order,
            "exactness": "upper",
            "directions": DIRECTIONS[law.exact["world"]],
            "observer": "every-step",
            "exponents": exponents,
        },
        {"r": value},
        (
            "kappa = X**2*alpha*eta**2*p*(alpha - 1)/(2*N**2*sigma^2)",
            "log E = kappa*mu**2/(-2*kappa*v + 1) - log(-2*kappa*v + 1)/2",
            "r = log E/(p*(alpha - 1)) + r_rest",
            "alpha' = p*(alpha - 1)/(p - 1) + 1",
        ),
    )


def decay(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """R2: the factor (c^{2n} C_t/C_{t+n})^{1/alpha} of the steps after the last that differ."""
    run, renyi = stage.run, used[0]
    directions = renyi.exact["directions"]
    if renyi.kind != "renyi" or renyi.exact["observer"] != "every-step" or len(directions) != 1:
        raise Rejected("uses", "first comes a bound on the trajectories in one direction")
    if run.output != run.reference_output:
        raise Rejected("", "the output noise of the reference is another")
    second = directions[0][-1]
    stretches = run.coupled
    known = rates(used[1:], [(one.batch(second), one.step_size) for one in stretches])
    spread, factor = mpf_of(run.start_variance), mpf(1)
    for k, one in enumerate(stretches):
        square = mpf_of(known[one.batch(second), one.step_size]) ** 2
        power = square**one.count
        several = (1 - power) / (1 - square) if square != 1 else mpf(one.count)
        after = power * spread + mpf_of(one.variance) * several
        if k >= len(run.removing):
            if not after:
                raise Rejected("", "the second law is a point")
            factor *= power * spread / after
        spread = after
    if run.output:
        factor *= spread / (spread + mpf_of(run.output))
    order = renyi.exact["order"]
    r = mpf_of(renyi.values["r"])
    return Known(
        {"order": order, "exactness": "upper", "directions": directions, "observer": "final"},
        {"r": r * factor ** (1 / mpf_of(order)) if factor else mpf(0), "factor": factor},
        ("g_2 = (1 - c^2n)/(1 - c**2)", "C_N = C_t*c^2n + g_2*sigma^2",
         "r = r_rest*(C_t*c^2n/C_N)**(1/alpha)"),
    )  # fmt: skip


def cover(stage: Stage, given: dict[str, Any], used: Sequence[Known]) -> Known:
    """C5-cover: delta(e_j) <= delta_mu(e_{j+1}) + slack at 0 = e_0 <= ... <= e_k, and at e_k 0."""
    mu, slack = (exact(given.get(key), f"exact.{key}") for key in ("mu", "delta"))
    levels: list[Fraction] = [one.exact["epsilon"] for one in used]
    if not levels or levels[0] != 0 or sorted(levels) != levels or mu < 0 or slack < 0:
        raise Rejected("uses", "not hockey sticks from epsilon 0 upwards")
    sound = all(one.exact["exactness"] in ("exact", "upper") for one in used)
    if not sound or any(_scope(one) != _scope(used[0]) for one in used):
        raise Rejected("uses", "not upper bounds of one direction and observer")
    allowed = [gaussian_delta(mpf_of(mu), mpf_of(level)) for level in levels[1:]] + [mpf(0)]
    for one, most in zip(used, allowed, strict=True):
        if not ends(one.values["delta"])[1] <= ends(most)[0] + ends(slack)[0]:
            raise Rejected("uses", f"delta({show(one.exact['epsilon'])}) lies above the Gaussian's")
    return Known(
        {**_scope(used[0]), "half": "epsilon >= 0", "mu": mu, "delta": slack},
        {"mu": mpf_of(mu), "delta": mpf_of(slack)},
        (),
    )
