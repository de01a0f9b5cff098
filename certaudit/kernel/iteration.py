"""From per-step sensitivity to a Gaussian-DP bound (section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp
from flint import arb

from certaudit.kernel.balls import ball, lower, upper
from certaudit.kernel.expr import evaluate
from certaudit.kernel.statement import NotApplicable, Premise, Rule, Statement, expect
from certaudit.run import Run

I1 = Rule("I1", "Contractive noisy iteration", "section 4; BSA24 in its general form")
I2 = Rule("I2", "Adaptive composition of every released step", "section 4; Dong, Roth, Su 2022")

C, s, sigma2, U, W, mu, c, z, u, w = sp.symbols("C s sigma^2 U W mu c z u w", nonnegative=True)
block = sp.Symbol("B", integer=True)

SHIFT = sp.Eq(u, C * s)
START = sp.Eq(u, C * (s + c * z))
NOISE = sp.Eq(w, C**2 * sigma2)
ENERGY = U**2 / W
POOLED = sp.Eq(
    mu**2, sp.Sum(sp.Indexed("U", block) ** 2 / sp.Indexed("W", block), (block, 1, sp.Symbol("b")))
)
COMPOSED = sp.Eq(mu**2, sp.Sum(sp.Indexed("s", block) ** 2 / sigma2, (block, 1, sp.Symbol("T"))))
GAUSSIAN_STEP = s**2 / sigma2


def pooled_energy(
    contractions: Sequence[arb],
    shifts: Sequence[arb],
    noise_variances: Sequence[arb],
    initial_distance: arb,
) -> arb:
    """mu^2 = min sum (a_t/sigma_t)^2 with z_{t+1} = c_t z_t + s_t - a_t >= 0, z_N = 0.

    Lists are indexed by step.  With C_t = product of c after step t, u_t = C_t s_t (u_0 also carries
    C_0 c_0 z_0) and w_t = C_t^2 sigma_t^2, the minimum is the energy of the greatest convex minorant
    of (sum w, sum u): pool adjacent violators, then sum U^2/W over blocks.  u is rounded up and w
    down to exact numbers first, which is the theorem for s a little larger and sigma a little
    smaller, so the pooling itself compares exact numbers.  Infinite if a shift follows the last noise.
    """
    later = arb(1)
    points: list[tuple[Fraction, Fraction]] = []
    for t in reversed(range(len(shifts))):
        values = {C: later, s: shifts[t], sigma2: noise_variances[t]}
        if t == 0:
            values |= {c: contractions[0], z: initial_distance}
        size = evaluate(START if t == 0 else SHIFT, values)
        points.append((upper(size), max(lower(evaluate(NOISE, values)), Fraction(0))))
        later = later * contractions[t]
    blocks: list[tuple[Fraction, Fraction]] = []
    for total_u, total_w in reversed(points):
        while blocks and blocks[-1][0] * total_w >= total_u * blocks[-1][1]:
            last_u, last_w = blocks.pop()
            total_u, total_w = total_u + last_u, total_w + last_w
        blocks.append((total_u, total_w))
    energy = arb(0)
    for total_u, total_w in blocks:
        if total_u > 0 and total_w == 0:
            return arb("inf")
        if total_u > 0:
            energy += evaluate(ENERGY, {U: ball(total_u), W: ball(total_w)})
    return energy


def contractive_iteration(sensitivity: Statement, learn: Statement, unlearn: Statement) -> Statement:
    """I1: the released models are mu-GDP, up to the sensitivity's delta (section 3, S3).

    Premises: both runs start from the same point or draw (z_0 = 0); each learning step satisfies
    |phi(a) - phi'(b)| <= c |a - b| + s_t, c the Lipschitz constant of the map of either run for S1
    and S2, of the *other* run for S3; both runs share every unlearning map; the noise of a step is
    N(0, sigma^2 I) in both.  The observer sees the final model only.
    Conclusion: Gaussian DP with mu, and delta = P(some S3 bound breaks), in the directions named.
    """
    expect(sensitivity, "sensitivity"), expect(learn, "contraction"), expect(unlearn, "contraction")
    run: Run = sensitivity.subject  # type: ignore[assignment]
    _require_same_schedule(run)
    world = sensitivity.exact["world"]
    partner = {"D": "D'", "D'": "D", "any": learn.exact["world"]}[world]
    if (
        learn.exact["world"] != partner
        or learn.exact["step_size"] != run.learn.step_size
        or unlearn.exact["world"] != "D'"
        or unlearn.exact["step_size"] != run.unlearn.step_size
    ):
        raise TypeError("I1: the contraction is not that of the run the theorem compares with")
    steps, more = run.learn.steps, run.unlearn.steps
    energy = pooled_energy(
        [learn.ball("c")] * steps + [unlearn.ball("c")] * more,
        list(sensitivity.values["s"]) + [arb(0)] * more,
        [ball(run.learn.noise_variance)] * steps + [ball(run.unlearn.noise_variance)] * more,
        arb(0),
    )
    return I1.conclude(
        "gaussian-dp",
        formulas=(SHIFT, NOISE, POOLED),
        values={"mu": energy.sqrt(), "delta": sensitivity.ball("delta"), "mu_squared": energy},
        exact={
            "directions": {"D": ("P|Q",), "D'": ("Q|P",), "any": ("P|Q", "Q|P")}[world],
            "observer": "final",
        },
        premises=(Premise("start", "both runs share the law of w_0, so z_0 = 0"),),
        uses=(sensitivity, learn, unlearn),
        subject=run,
    )


def composition(sensitivity: Statement) -> Statement:
    """I2: an observer of every iterate learns at most mu^2 = sum (s_t/sigma)^2 (learning steps).

    Given the past, one step of the two runs is a pair of Gaussians s_t apart with the same
    covariance; unlearning steps are the same map in both runs and add nothing.
    """
    expect(sensitivity, "sensitivity")
    run: Run = sensitivity.subject  # type: ignore[assignment]
    _require_same_schedule(run)
    if run.learn.noise_variance == 0:
        raise NotApplicable(I2, "learning adds no noise")
    noise = ball(run.learn.noise_variance)
    energy = sum(
        (evaluate(GAUSSIAN_STEP, {s: x, sigma2: noise}) for x in sensitivity.values["s"]), arb(0)
    )
    return I2.conclude(
        "gaussian-dp",
        formulas=(COMPOSED,),
        values={"mu": energy.sqrt(), "delta": sensitivity.ball("delta"), "mu_squared": energy},
        exact={
            "directions": {"D": ("P|Q",), "D'": ("Q|P",), "any": ("P|Q", "Q|P")}[
                sensitivity.exact["world"]
            ],
            "observer": "every-step",
        },
        uses=(sensitivity,),
        subject=run,
    )


def _require_same_schedule(run: Run) -> None:
    if run.reference.kind == "unlearn-retrained":
        return
    same = (
        run.learn.step_size == run.unlearn.step_size
        and run.learn.noise_variance == run.unlearn.noise_variance
        and run.reference.steps == run.learn.steps + run.unlearn.steps
    )
    if not same:
        raise NotApplicable(
            I1, "the reference takes other steps than the run, so the two cannot be coupled"
        )
