"""Descent-to-delete (NEE21, arXiv 2007.02923): gradient descent with noise on the output."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import arb

from certaudit.claims import Claim, EpsilonDelta
from certaudit.core.balls import ball, upper
from certaudit.core.term import Formula, Term, log, sqrt, symbols
from certaudit.search.evidence import Evidence
from certaudit.search.published.premises import Premises
from certaudit.verdict import Bound, NamedTheorem

M, m, L, n, eps, delta, sigma = symbols("M m L n epsilon delta sigma")
g, g_I, A = symbols("g g^I A")

RATE = Formula(g, (L - m) / (L + m))
NOISE = Formula(
    sigma,
    4 * sqrt(2) * M * g_I / (m * n * (1 - g_I) * (sqrt(log(1 / delta) + eps) - sqrt(log(1 / delta)))),
)
GAP = Formula(A, 4 * sqrt(2) * M * g_I / (m * n * (1 - g_I) * sigma))
EPSILON = Formula(eps, A**2 + 2 * A * sqrt(log(1 / delta)))


def noise(values: dict[Term, arb]) -> arb:
    """sigma = 4 sqrt2 M g^I/(m n (1-g^I)(sqrt(log(1/delta)+eps) - sqrt(log(1/delta))))."""
    value: arb = NOISE.at(values)
    return value


def epsilon(values: dict[Term, arb]) -> arb:
    """The same solved for epsilon."""
    value: arb = EPSILON.at({**values, A: GAP.at(values)})
    return value


def neel_2021(evidence: Evidence, claim: Claim, bounds: Sequence[Bound]) -> NamedTheorem:
    """Premises: Lipschitz loss, l2 > 0, no noise in the steps and some on the output, step size
    2/(L+m), full batches, one point a request, at least as many learning steps as the theorem asks
    (assumed)."""
    run = evidence.run
    premises = Premises("neel-2021", run)
    lipschitz = premises.lipschitz()
    smooth = premises.smooth()
    phases = [run.learn, *(request.unlearn for request in run.requests)]
    quiet = all(phase.noise_variance == 0 for phase in phases)
    premises.need(quiet, "noise", "the steps must add no noise")
    premises.need(run.output_variance > 0, "output noise", "the released model must carry noise")
    premises.need(not run.learn.batches, "batches", "every step must sum all rows")
    single = all(len(request.rows) == 1 for request in run.requests)
    premises.need(single, "requests", "one point a request")
    best = 2 / (smooth + ball(run.l2))
    steps = [ball(phase.step_size) for phase in phases]
    text = "the step size must be 2/(L + m)"
    premises.need(
        all(step.overlaps(best) or abs(step / best - 1) < arb("1e-6") for step in steps),
        "step size",
        text,
        step_size=steps[0],
        wanted=best,
    )
    value: Fraction | None = None
    usable = isinstance(claim, EpsilonDelta) and claim.delta > 0
    if usable and not premises.failed and lipschitz is not None:
        assert isinstance(claim, EpsilonDelta)
        rate = RATE.at({L: smooth, m: ball(run.l2)})
        values = {
            M: lipschitz,
            m: ball(run.l2),
            n: arb(run.n),
            g_I: rate ** run.requests[-1].unlearn.steps,
            delta: ball(claim.delta),
            sigma: ball(run.output_variance).sqrt(),
        }
        value = upper(epsilon(values))
    return NamedTheorem(
        "neel-2021",
        "NEE21, arXiv 2007.02923, perturbed gradient descent",
        value,
        tuple(premises.failed),
        ("learning ran at least as long as the theorem asks",),
    )
