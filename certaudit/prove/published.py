"""Published theorems that a claim may name: their premises on this run, and their own value.

The value is what the theorem would give if its premises held.  It is shown beside the verdict and
never decides it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb

from certaudit.claims import EpsilonDelta
from certaudit.kernel.balls import ball, certain_max, upper
from certaudit.kernel.conversion import mironov_epsilon
from certaudit.kernel.expr import evaluate
from certaudit.kernel.spectrum import row_norm
from certaudit.kernel.statement import Premise
from certaudit.prove.evidence import Evidence
from certaudit.prove.orders import best_order
from certaudit.verdict import FailedPremise, NamedTheorem

alpha, m, eta, K, S, M, s2, n = sp.symbols("alpha m eta K S M s^2 n", positive=True)
CHIEN = sp.Eq(sp.Symbol("r"), sp.exp(-m * eta * K / alpha) * 4 * alpha * S**2 * M**2 / (m * s2 * n**2))


def chien_renyi(order: Any, values: dict[sp.Basic, arb]) -> arb:
    """R3 (CHI24a, strongly convex): r(alpha) = exp(-m eta K/alpha) 4 alpha S^2 M^2/(m s^2 n^2)."""
    value: arb = evaluate(CHIEN, {alpha: order, **values})
    return value


def chien_epsilon(values: dict[sp.Basic, arb], delta: Fraction) -> arb:
    """R3 converted by C1 at the best real order."""

    def cost(order: Fraction) -> arb:
        return mironov_epsilon(order, chien_renyi(ball(order), values), delta)

    return cost(best_order(cost, 16))


def chien_2024a(evidence: Evidence, claim: object) -> NamedTheorem:
    """Langevin unlearning (CHI24a): logistic loss, rows of norm at most 1, a projection, eta <= 1/L,
    the regularizer outside the clip, learning at stationarity (assumed)."""
    run = evidence.run
    failed: list[FailedPremise] = []

    def need(holds: bool, name: str, text: str, **values: arb) -> None:
        if not holds:
            failed.append(FailedPremise("chien-2024a", Premise(name, text, values)))

    longest = certain_max(row_norm(run, j) for j in range(run.n))
    step = ball(run.learn.step_size)
    smooth = longest**2 / 4 + ball(run.l2)
    need(run.loss == "logistic", "loss", f"the loss must be Lipschitz; the run has {run.loss}")
    need(bool(longest <= 1), "row norm", "every row must have norm at most 1", longest_row=longest)
    need(run.projection is not None, "projection", "every iterate must be projected onto a ball")
    need(
        bool(step <= 1 / smooth),
        "step size",
        "the step size must be at most 1/L",
        step_size=step,
        L=smooth,
    )
    need(run.l2 > 0, "strong convexity", "l2 must be positive", l2=ball(run.l2))
    need(
        run.clip is None or not run.clip.regularizer,
        "clip",
        "the regularizer must stay outside the clip",
    )
    need(
        run.learn.noise_variance > 0
        and run.learn.noise_variance == run.unlearn.noise_variance
        and run.learn.step_size == run.unlearn.step_size,
        "schedule",
        "learning and unlearning must share one positive noise and one step size",
    )
    value: Fraction | None = None
    if isinstance(claim, EpsilonDelta) and claim.delta > 0 and run.l2 > 0 and not failed:
        lipschitz = longest if run.clip is None else -(-longest).max(-ball(run.clip.norm))
        value = upper(
            chien_epsilon(
                {
                    m: ball(run.l2),
                    eta: step,
                    K: arb(run.unlearn.steps),
                    S: arb(len(run.forget)),
                    M: lipschitz,
                    s2: ball(run.learn.noise_variance / (2 * run.learn.step_size)),
                    n: arb(run.n),
                },
                claim.delta,
            )
        )
    return NamedTheorem(
        "chien-2024a",
        "CHI24a, arXiv 2401.10371, strongly convex case (rule R3)",
        value,
        tuple(failed),
        ("learning has reached its stationary law",),
    )


def benarroch_2026(evidence: Evidence, claim: object) -> NamedTheorem:
    """Per-instance certificates for ridge under Langevin dynamics (BAC26), in repaired form: rules
    S3 and I1; ridge loss, no projection, no clip, contracting steps."""
    run = evidence.run
    failed: list[FailedPremise] = []
    if run.loss != "ridge":
        text = f"the residual must be Gaussian: ridge loss; the run has {run.loss}"
        failed.append(FailedPremise("benarroch-2026", Premise("loss", text)))
    if run.projection is not None or run.clip is not None:
        text = "no projection and no clip"
        failed.append(FailedPremise("benarroch-2026", Premise("affine", text)))
    if run.normalizer == "current":
        text = "the normalizer must not change on deletion"
        failed.append(FailedPremise("benarroch-2026", Premise("normalizer", text)))
    for world, phase in (("D", run.learn), ("D'", run.learn), ("D'", run.unlearn)):
        evidence.step(world, phase)  # type: ignore[arg-type]
    failed += [
        FailedPremise("benarroch-2026", refusal.failed)
        for refusal in evidence.refusals.values()
        if refusal.failed is not None and refusal.rule.id == "contraction"
    ]
    return NamedTheorem("benarroch-2026", "BAC26, arXiv 2602.15602", None, tuple(failed))


THEOREMS: dict[str, Callable[[Evidence, object], NamedTheorem]] = {
    "benarroch-2026": benarroch_2026,
    "chien-2024a": chien_2024a,
}
