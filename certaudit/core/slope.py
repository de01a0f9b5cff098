"""How large the gradient of one row's loss can be, on the iterates a run can meet (section 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from flint import arb

from certaudit.core import schedule
from certaudit.core.balls import ball, norm_squared, smallest
from certaudit.core.data import label, require_labels, row_norm
from certaudit.core.rule import NotApplicable, Premise, PremiseFailed, numbers, require
from certaudit.core.term import Environment, Formula, symbols
from certaudit.losses import LOSSES
from certaudit.losses.loss import kink, length, radius, y
from certaudit.run import WORLDS, Run

M, G = symbols("M G")

LIPSCHITZ = Formula(M, G * length)


@dataclass(frozen=True)
class Restart:
    """``last``: None for all the steps from the first, else the number of last ones."""

    last: int | None


class Gradients:
    """Bounds M >= |gradient of the loss at row j|, for a rule, at every iterate that matters to it.

    These are the iterates before the last ``last`` steps (None: before any step).  ``premises`` are
    those the bounds asked for so far stand on.
    """

    def __init__(self, rule: str, run: Run, last: int | None) -> None:
        self._rule, self._run, self._loss = rule, run, LOSSES[run.loss]
        self._known: dict[int, arb] = {}
        self.premises = [require_labels(rule, run, range(run.n))]
        if last is not None:
            self.premises.append(_restart(rule, run, last))
        self._ball = self._confined(last)
        if self._ball is not None:
            self.premises.append(self._ball)

    def at(self, j: int) -> arb:
        """M of row j: the least of the clip and G |x_j|, G the slope of the loss.

        G is its bound anywhere, or on the ball that holds the iterates.  Raises PremiseFailed where no
        bound is known, and on a label without meaning.
        """
        if j not in self._known:
            self._known[j] = self._bound(j)
        return self._known[j]

    def total(self, rows: tuple[int, ...]) -> arb:
        """Sum of the bounds of the rows."""
        return sum((self.at(j) for j in rows), arb(0))

    def _bound(self, j: int) -> arb:
        run, loss = self._run, self._loss
        bounds = []
        if run.clip is not None:
            bounds.append(ball(run.clip.norm))
            if run.clip.regularizer:
                return bounds[0]
        values = {length: row_norm(run, j), y: ball(label(run, j))}
        if run.projection is not None:
            values[radius] = ball(run.projection)
        if run.threshold is not None:
            values[kink] = ball(run.threshold)
        for slope in (loss.slope_bound, None if self._ball is None else loss.confined_slope):
            if slope is not None:
                bounds.append(LIPSCHITZ.at({**values, G: Formula(G, slope).at(values)}))
        if not bounds:
            ways = "a clip" if loss.confined_slope is None else "a projection or a clip"
            text = f"the gradient of the {loss.name} loss has no bound without {ways}"
            raise PremiseFailed(self._rule, Premise("projection", text))
        return smallest(bounds)

    def _confined(self, last: int | None) -> Premise | None:
        """Why every iterate met lies in the ball; None if it may not.  Where nothing else bounds the
        gradient, a start outside the ball is a failed premise."""
        run = self._run
        if run.projection is None or self._loss.confined_slope is None:
            return None
        if last is not None:
            return Premise("projection", "every iterate met was projected onto the ball")
        size, limit = norm_squared(map(ball, run.start.mean)), ball(run.projection) ** 2
        values = numbers(start_norm=size.sqrt(), radius=ball(run.projection))
        text = "the run starts at a point inside the ball it is projected onto"
        premise, point = Premise("start", text, values), run.start.variance == 0
        inside = point and bool(size <= limit)
        if inside or self._loss.slope_bound is not None or run.clip is not None:
            return premise if inside else None
        return require(self._rule, False, not point or bool(size > limit), premise)


def _restart(rule: str, run: Run, last: int) -> Premise:
    """The premise that a projection stands before the last ``last`` steps, in both worlds."""
    if not isinstance(last, int) or last < 1:
        raise NotApplicable(rule, "a restart leaves at least one step")
    text = f"both worlds are projected onto one ball before the last {last} steps"
    premise = Premise("restart", text)
    earlier = min(schedule.total(schedule.steps(rule, run, world)) for world in WORLDS) - last
    if run.projection is None or earlier < 1:
        raise PremiseFailed(rule, premise)
    return premise


def shared(rule: str, run: Run, last: int | None) -> tuple[schedule.Pair, ...]:
    """The steps both worlds take, from the first or the last ``last`` alone."""
    return schedule.from_start(rule, run) if last is None else schedule.last(rule, run, last)


def sizes(
    pairs: Sequence[schedule.Pair],
    formula: Formula,
    values: Callable[[schedule.Pair], Environment],
) -> tuple[tuple[tuple[int, arb], ...], tuple[tuple[Formula, Environment], ...]]:
    """(number of equal steps, ``formula`` where the worlds' maps differ, else 0), and one example."""
    put_in = {pair: values(pair) for pair in dict.fromkeys(pairs) if pair.first != pair.second}
    known = {pair: formula.at(numbers) for pair, numbers in put_in.items()}
    example = tuple((formula, numbers) for numbers in islice(put_in.values(), 1))
    return tuple((pair.count, known.get(pair, arb(0))) for pair in pairs), example
