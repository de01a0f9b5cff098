"""Clipped noisy fine-tuning (KOL25): unlearning from a model clipped to a ball, no convexity."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb

from certaudit.claims import Claim
from certaudit.core.balls import ball
from certaudit.core.term import Formula, Term, symbol, symbols
from certaudit.search.evidence import Evidence
from certaudit.search.published.premises import Premises, from_renyi
from certaudit.verdict import Bound, NamedTheorem

C0, C1, lam, g, s2, rho, alpha = symbols("C_0 C_1 lambda g s^2 rho alpha")
c_T = symbol("c^T")

ROOT = 2 * C0 * c_T + 2 * C1 / lam * (1 - c_T)
VARIANCE = Formula(s2, ROOT**2 * g * lam * (2 - g * lam) / (2 * rho * (1 - c_T**2)))
RHO = Formula(rho, ROOT**2 * g * lam * (2 - g * lam) / (2 * s2 * (1 - c_T**2)))
RENYI = Formula(symbol("r"), alpha * rho)


def slope(values: dict[Term, arb]) -> arb:
    """rho with D_alpha <= alpha rho."""
    value: arb = RHO.at(values)
    return value


def koloskova_2025(evidence: Evidence, claim: Claim, bounds: Sequence[Bound]) -> NamedTheorem:
    """Premises: a clip with the regularizer outside, l2 > 0, a ball the model is clipped to before
    unlearning (the projection), eta lambda < 1, noise in unlearning, one request."""
    run = evidence.run
    premises = Premises("koloskova-2025", run)
    phase = run.requests[-1].unlearn
    premises.need(run.clip is not None, "clip", "gradients must be clipped")
    premises.outside_clip()
    premises.need(run.projection is not None, "projection", "the model must be clipped to a ball")
    shrink = ball(phase.step_size * run.l2)
    text = "l2 must be positive and step size times l2 below 1"
    premises.need(bool(shrink > 0) and bool(shrink < 1), "regularizer", text, step_size_l2=shrink)
    premises.need(phase.noise_variance > 0, "noise", "unlearning must add noise")
    premises.need(len(run.requests) == 1, "requests", "a single request")
    value = None
    if not premises.failed and run.clip is not None and run.projection is not None:
        values = {
            C0: ball(run.projection),
            C1: ball(run.clip.norm),
            lam: ball(run.l2),
            g: ball(phase.step_size),
            c_T: (1 - shrink) ** phase.steps,
            s2: ball(phase.noise_variance),
        }
        known = {rho: slope(values)}
        value = from_renyi(claim, lambda order: RENYI.at({**known, alpha: ball(order)}))
    return NamedTheorem(
        "koloskova-2025",
        "KOL25, certified unlearning by clipped noisy fine-tuning",
        value,
        tuple(premises.failed),
        ("the clipped mean gradient has at most the clip's norm",),
    )
