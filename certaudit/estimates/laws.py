"""The Gaussian laws of an affine run for many single removed rows at once, in floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from certaudit.run import Phase, Request, Run, World

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Maps:
    """Law maps w -> A w + N(m, S), one a point: A, S (points, d, d) and m (points, d, 1).

    A single one (points = 1) stands for every point.
    """

    linear: Floats
    shift: Floats
    noise: Floats

    def after(self, earlier: Maps) -> Maps:
        """This map after ``earlier``."""
        return Maps(
            self.linear @ earlier.linear,
            self.linear @ earlier.shift + self.shift,
            self.linear @ earlier.noise @ self.linear.transpose(0, 2, 1) + self.noise,
        )

    def power(self, times: int) -> Maps:
        """This map repeated, by squaring."""
        total, one = resting(self.shift.shape[1]), self
        while times:
            if times & 1:
                total = one.after(total)
            times >>= 1
            if times:
                one = one.after(one)
        return total


def resting(d: int) -> Maps:
    """The map that changes nothing."""
    return Maps(np.eye(d)[None], np.zeros((1, d, 1)), np.zeros((1, d, d)))


def forgetting(run: Run, row: int) -> Run:
    """``run`` with ``row`` as the only forgotten point, its first request's unlearning phase kept."""
    return replace(run, requests=(Request((row,), run.requests[0].unlearn),))


class Laws:
    """Laws of both worlds of ``run`` with each of many rows as its single forgotten point.

    Ridge loss without projection or clip; full or cyclic batches.  What no removal touches is
    computed once.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.X = np.asarray(run.X, dtype=np.float64)
        self.y = np.asarray(run.y, dtype=np.float64)

    def __call__(self, world: World, rows: Sequence[int]) -> tuple[Floats, Floats]:
        """Means (points, d) and covariances (points, d, d) of the released models of ``world``."""
        run, d = self.run, self.run.d
        law = Maps(
            np.eye(d)[None],
            np.array([float(x) for x in run.start.mean]).reshape(1, d, 1),
            float(run.start.variance) * np.eye(d)[None],
        )
        for segment in forgetting(run, rows[0]).program(world):
            law = self._phase(segment.phase, rows if segment.removed else ()).after(law)
        out = float(run.output_noise(world)) * np.eye(d)
        points = len(rows)
        mean = np.broadcast_to(law.shift[:, :, 0], (points, d))
        return mean, np.broadcast_to(law.noise + out, (points, d, d))

    def _phase(self, phase: Phase, rows: Sequence[int]) -> Maps:
        batches = phase.batches or (tuple(range(self.run.n)),)
        rounds, rest = divmod(phase.steps, len(batches))
        whole = self._product(phase, batches, rows)
        return self._product(phase, batches[:rest], rows).after(whole.power(rounds))

    def _product(self, phase: Phase, batches: Sequence[tuple[int, ...]], rows: Sequence[int]) -> Maps:
        """One pass over ``batches`` without the row of each point."""
        total = resting(self.run.d)
        for members in batches:
            touched = [k for k, row in enumerate(rows) if row in set(members)]
            step = self._step(phase, members, None)
            if touched:
                every = len(touched) == len(rows)
                own = self._step(phase, members, np.asarray(rows)[touched])
                step = own if every else _scatter(step, own, touched, len(rows))
            total = step.after(total)
        return total

    def _step(self, phase: Phase, members: Sequence[int], rows: NDArray[np.int64] | None) -> Maps:
        """One step on ``members``, without each of ``rows`` in turn."""
        run, d = self.run, self.run.d
        inside = list(members)
        gram = (self.X[inside].T @ self.X[inside])[None]
        drift = (self.X[inside].T @ self.y[inside])[None, :, None]
        left = len(inside)
        if rows is not None:
            x = self.X[rows][:, :, None]
            gram = gram - x @ x.transpose(0, 2, 1)
            drift = drift - x * self.y[rows][:, None, None]
            left -= 1
        count = {"fixed": len(inside), "current": max(left, 1), "sum": 1}[run.normalizer]
        step, eye = float(phase.step_size), np.eye(d)
        return Maps(
            eye - step * (gram / count + float(run.l2) * eye),
            step * drift / count,
            float(phase.noise_variance) * eye[None],
        )


def _scatter(common: Maps, own: Maps, touched: list[int], points: int) -> Maps:
    def spread(one: Floats, other: Floats) -> Floats:
        full = np.repeat(one, points, axis=0)
        full[touched] = other
        return full

    return Maps(
        spread(common.linear, own.linear),
        spread(common.shift, own.shift),
        spread(common.noise, np.repeat(own.noise, len(touched), axis=0)),
    )
