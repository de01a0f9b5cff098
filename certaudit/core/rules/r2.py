"""R2: a Rényi bound shrinks while both runs follow one kernel."""

from __future__ import annotations

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.rates import Rates
from certaudit.core.renyi import alpha, r, require_upper, rest
from certaudit.core.rule import Conclusion, NotApplicable, Nothing, Rule, expect
from certaudit.core.statement import Renyi, Statement
from certaudit.core.term import Environment, Formula, Term, symbols
from certaudit.run import Run, World

c, sigma2, c_2n, before, after, squares, factor = symbols("c sigma^2 c^2n C_t C_{t+n} g_2 f")

SQUARES = Formula(squares, (1 - c_2n) / (1 - c**2))
CONSTANT = Formula(after, c_2n * before + sigma2 * squares)
SHRUNK = Formula(factor, c_2n * before / after)
DECAY = Formula(r, rest * factor ** (1 / alpha))


def decay(run: Run, uses: tuple[Statement, ...], witness: Nothing) -> Conclusion:
    """A bound on the trajectories, shrunk by the steps that both worlds take alike at the end.

    If the second world's law has log-Sobolev constant C_k before a step (N(0, C I) has C), then it has
    C_{k+1} = c^2 C_k + sigma^2 after, and D_alpha shrinks in it by (c^2 C_k/C_{k+1})^{1/alpha}; over n
    equal steps the product telescopes to (c^{2n} C_t/C_{t+n})^{1/alpha}.  A projection keeps C.  Output
    noise is one more step with c = 1.
    Premises: both worlds take the same steps; the contraction of every map of the second world; a law
    of the second world that is not a point when the worlds join.
    """
    if not uses:
        raise NotApplicable(RULE.id, "builds on a Renyi statement")
    renyi, rates = expect(RULE.id, uses[0], Renyi), Rates.of(RULE.id, uses[1:])
    require_upper(RULE.id, renyi)
    if renyi.observer != "every-step" or len(renyi.directions) != 1:
        raise NotApplicable(RULE.id, "needs a bound on the trajectories in one direction")
    second: World = "Q" if renyi.directions == ("P|Q",) else "P"
    pairs = schedule.whole(RULE.id, run)
    apart = len(schedule.active(RULE.id, run))
    spread, shrunk = ball(run.start.variance), arb(1)
    values: Environment = {}
    for k, pair in enumerate(pairs):
        rate = rates(pair.batch(second), pair.step_size)
        values = _block(rate, pair.count, ball(pair.noise_variance), spread)
        spread = values[after]
        shrunk *= SHRUNK.at(values) if k >= apart else 1
    if run.output_variance > 0:
        shrunk *= spread / (spread + ball(run.output_variance))
    if not shrunk.is_finite():
        raise NotApplicable(RULE.id, "the second law has no log-Sobolev constant: it is a point")
    last = {rest: renyi.r, factor: shrunk, alpha: ball(renyi.order)}
    value = renyi.r * shrunk if shrunk.is_zero() else DECAY.at(last)
    return Conclusion(
        Renyi(renyi.order, value, renyi.directions, "final", "upper"),
        (),
        (*((one, values) for one in (SQUARES, CONSTANT, SHRUNK) if values), (DECAY, last)),
    )


def _block(rate: arb, times: int, noise: arb, start: arb) -> Environment:
    """The numbers of ``times`` equal steps from the log-Sobolev constant ``start``."""
    values: dict[Term, arb] = {c: rate, c_2n: rate ** (2 * times), before: start, sigma2: noise}
    several = times > 1 and (rate < 1 or rate > 1)
    values[squares] = SQUARES.at(values) if several else arb(times)
    values[after] = CONSTANT.at(values)
    return values


RULE = Rule(
    "R2",
    "Decay of Rényi divergence while both runs follow one kernel",
    "theory.md#r2; CHI24a, from VW19, Lemma 5",
    Nothing,
    decay,
)
