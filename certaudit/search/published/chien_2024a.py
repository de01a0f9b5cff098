"""Langevin unlearning (CHI24a, arXiv 2401.10371), strongly convex case: rule R3."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import arb

from certaudit.claims import Claim
from certaudit.core.balls import ball
from certaudit.core.term import Formula, Term, exp, symbol, symbols
from certaudit.search.evidence import Evidence
from certaudit.search.published.premises import Premises, from_renyi
from certaudit.verdict import Bound, NamedTheorem

alpha, m, eta, K, S, M, s2, n = symbols("alpha m eta K S M s^2 n")
first, again = symbols("r_0 r_last")
RENYI = Formula(symbol("r"), exp(-m * eta * K / alpha) * 4 * alpha * S**2 * M**2 / (m * s2 * n**2))
SEQUENTIAL = Formula(
    symbol("r"),
    exp(-m * eta * K / alpha) * (alpha - Fraction(1, 2)) / (alpha - 1) * (first + again),
)


def renyi(order: Any, values: dict[Term, arb]) -> arb:
    """R3: r(alpha) = exp(-m eta K/alpha) 4 alpha S^2 M^2/(m s^2 n^2)."""
    value: arb = RENYI.at({alpha: order, **values})
    return value


def sequential_renyi(order: arb, values: dict[Term, arb], steps: Sequence[tuple[int, int]]) -> arb:
    """R3 after several requests, (points, unlearning steps) each:
    r_q(alpha) = exp(-eta m K_q/alpha) (alpha-1/2)/(alpha-1) [r_0(2 alpha) + r_{q-1}(2 alpha)]."""
    points, count = steps[-1]
    now = {**values, K: arb(count), S: arb(points)}
    if len(steps) == 1:
        return renyi(order, now)
    env = {
        **now,
        alpha: order,
        first: renyi(2 * order, {**now, K: arb(0)}),
        again: sequential_renyi(2 * order, values, steps[:-1]),
    }
    value: arb = SEQUENTIAL.at(env)
    return value


def chien_2024a(evidence: Evidence, claim: Claim, bounds: Sequence[Bound]) -> NamedTheorem:
    """Premises: logistic or softmax loss, rows of norm at most 1, a projection, eta <= 1/L, the
    regularizer outside the clip, full batches, learning at stationarity (assumed)."""
    run = evidence.run
    premises = Premises("chien-2024a", run)
    text = f"the loss must be logistic or softmax; the run has {run.loss}"
    premises.need(run.loss in ("logistic", "softmax"), "loss", text)
    lipschitz = premises.lipschitz()
    premises.unit_rows()
    text = "every iterate must be projected onto a ball"
    premises.need(run.projection is not None, "projection", text)
    premises.short_step()
    premises.outside_clip()
    premises.one_noise()
    premises.need(not run.learn.batches, "batches", "every step must sum all rows")
    value = None
    if not premises.failed and lipschitz is not None:
        values = {
            m: ball(run.l2),
            eta: ball(run.learn.step_size),
            M: lipschitz,
            s2: ball(run.learn.noise_variance / (2 * run.learn.step_size)),
            n: arb(run.n),
        }
        steps = [(len(request.rows), request.unlearn.steps) for request in run.requests]
        value = from_renyi(claim, lambda order: sequential_renyi(ball(order), values, steps))
    return NamedTheorem(
        "chien-2024a",
        "CHI24a, arXiv 2401.10371, strongly convex case (rule R3)",
        value,
        tuple(premises.failed),
        ("learning has reached its stationary law",),
    )
