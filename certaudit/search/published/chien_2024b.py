"""Noisy SGD unlearning with cyclic batches (CHI24b, arXiv 2403.17105)."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb

from certaudit.claims import Claim
from certaudit.core.balls import ball
from certaudit.core.term import Formula, Term, minimum, symbol, symbols
from certaudit.search.evidence import Evidence
from certaudit.search.published.premises import Premises, from_renyi
from certaudit.verdict import Bound, NamedTheorem

alpha, eta, m, M, b, s2, R = symbols("alpha eta m M b s^2 R")
c, c_epoch, c_unlearn, Z, before = symbols("c c^(n/b) c^(Kn/b) Z Z_last")

DISTANCE = Formula(Z, 2 * eta * M / (b * (1 - c_epoch)))
CAPPED = Formula(Z, minimum(2 * R, 2 * eta * M / (b * (1 - c_epoch))))
RENYI = Formula(symbol("r"), alpha * Z**2 * c_unlearn**2 / (2 * eta * s2))
LATER_DISTANCE = Formula(Z, before * c_unlearn + Z)
LATER_RENYI = Formula(
    symbol("r"), alpha * Z**2 * (1 - c**2) * c_unlearn**2 / (2 * eta * s2 * (1 - c_unlearn**2))
)


def distance(values: dict[Term, arb], radius: arb | None = None) -> arb:
    """Z, the distance of the two stationary runs, at most the ball's diameter if there is one."""
    if radius is None:
        value: arb = DISTANCE.at(values)
        return value
    capped: arb = CAPPED.at({**values, R: radius})
    return capped


def renyi(order: arb, values: dict[Term, arb]) -> arb:
    """First request: D_alpha <= alpha Z^2 c^{2Kn/b}/(2 eta s^2)."""
    value: arb = RENYI.at({**values, alpha: order})
    return value


def later_renyi(order: arb, values: dict[Term, arb]) -> arb:
    """Later requests: alpha Z_q^2 (1-c^2) c^{2Kn/b}/(2 eta s^2 (1-c^{2Kn/b}))."""
    value: arb = LATER_RENYI.at({**values, alpha: order})
    return value


def chien_2024b(evidence: Evidence, claim: Claim, bounds: Sequence[Bound]) -> NamedTheorem:
    """Premises: Lipschitz loss, cyclic batches of one size, the same in both phases, one point a
    request, eta <= 1/L, unlearning in whole epochs, learning at stationarity (assumed)."""
    run = evidence.run
    premises = Premises("chien-2024b", run)
    lipschitz = premises.lipschitz()
    premises.short_step()
    premises.outside_clip()
    premises.one_noise()
    batches = run.learn.batches or (tuple(range(run.n)),)
    epoch = len(batches)
    sizes = {len(batch) for batch in batches}
    premises.need(len(sizes) == 1, "batches", "every batch must have the same size")
    same = all(request.unlearn.batches == run.learn.batches for request in run.requests)
    premises.need(same, "batches", "unlearning must keep the batches of learning")
    whole = all(request.unlearn.steps % epoch == 0 for request in run.requests)
    premises.need(whole, "epochs", "unlearning must take whole epochs", batches=arb(epoch))
    single = all(len(request.rows) == 1 for request in run.requests)
    premises.need(single, "requests", "one point a request")
    value = None
    if not premises.failed and lipschitz is not None:
        step = ball(run.learn.step_size)
        rate = 1 - step * ball(run.l2)
        values = {
            eta: step,
            M: lipschitz,
            b: arb(len(batches[0])),
            c: rate,
            c_epoch: rate**epoch,
            s2: ball(run.learn.noise_variance / (2 * run.learn.step_size)),
        }
        own = distance(values, None if run.projection is None else ball(run.projection))
        reached = own
        for request in run.requests[:-1]:
            shrink = rate**request.unlearn.steps
            reached = LATER_DISTANCE.at({before: reached, c_unlearn: shrink, Z: own})
        values |= {Z: reached, c_unlearn: rate ** run.requests[-1].unlearn.steps}
        bound = renyi if len(run.requests) == 1 else later_renyi
        value = from_renyi(claim, lambda order: bound(ball(order), values))
    return NamedTheorem(
        "chien-2024b",
        "CHI24b, arXiv 2403.17105, strongly convex case",
        value,
        tuple(premises.failed),
        ("learning has reached its stationary law", "points are replaced, not deleted"),
    )
