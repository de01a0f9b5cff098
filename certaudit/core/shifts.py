"""The shift of every step from bounds on the slopes of the rows it removes."""

from __future__ import annotations

from collections.abc import Callable

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball
from certaudit.core.data import row_norm
from certaudit.core.rule import NotApplicable, Premise
from certaudit.core.term import Environment, Formula, indexed, symbols, total
from certaudit.run import Run

s, eta, count = symbols("s_t eta N")
lengths, slopes = indexed("X"), indexed("q")

SHIFT = Formula(s, eta / count * total(lengths * slopes))


def require_fixed(rule: str, run: Run) -> Premise:
    """The premise that N does not change with the removal; raises NotApplicable otherwise."""
    if run.normalizer == "current":
        raise NotApplicable(rule, "the normalizer `current` reweights every other point as well")
    return Premise("normalizer", "N is the same in both worlds: normalizer `fixed` or `sum`")


def summed(
    rule: str, run: Run, bound: Callable[[int, int, int], arb]
) -> tuple[tuple[tuple[int, arb], ...], tuple[tuple[Formula, Environment], ...]]:
    """s_t = (eta/N) sum_i |x_i| q_{t,i} of the steps both worlds take, and what is to be shown.

    ``bound(t, k, i)``: q of row i, the k-th that step t (from 0) removes; asked for in order.
    """
    norms = {i: row_norm(run, i) for i in run.forget}
    shifts: list[tuple[int, arb]] = []
    done, values = 0, {}
    for pair in schedule.from_start(rule, run):
        removed = pair.removed(run)
        if not removed:
            shifts.append((pair.count, arb(0)))
        for t in range(done, done + pair.count) if removed else ():
            values = {
                eta: ball(pair.step_size),
                count: arb(run.count(pair.first)),
                lengths: [norms[i] for i in removed],
                slopes: [bound(t, k, i) for k, i in enumerate(removed)],
            }
            shifts.append((1, SHIFT.at(values)))
        done += pair.count
    return tuple(shifts), ((SHIFT, values),) if values else ()
