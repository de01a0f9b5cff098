"""What many models make of a few rows: margins, losses, confidences and gradient norms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from certaudit.run import Run

Floats = NDArray[np.float64]


LABELLED = ("softmax", "network")
"""Losses of one margin for every class."""


class Rows:
    """Some rows of a run's data, under the run's loss.  Every method takes (m, parameters) models."""

    def __init__(self, run: Run, rows: Sequence[int]) -> None:
        self._run = run
        self._x = np.asarray(run.X[list(rows)], dtype=np.float64)
        self._y = np.asarray(run.y[list(rows)], dtype=np.float64)

    def losses(self, models: Floats) -> Floats:
        """Loss at each row, (m, rows)."""
        run, y = self._run, self._y
        if run.loss in LABELLED:
            margins = self._margins(models)
            return np.asarray(logsumexp(margins, axis=2) - self._own(margins))
        u = models @ self._x.T
        if run.loss == "logistic":
            return np.asarray(np.logaddexp(0, -y * u))
        if run.loss == "huber":
            assert run.threshold is not None
            size = np.abs(u - y)
            near = np.minimum(size, float(run.threshold))
            return np.asarray(near * (size - near / 2))
        return np.asarray((u - y) ** 2 / 2)

    def confidences(self, models: Floats) -> Floats:
        """What is nearly Gaussian over models, (m, rows).

        The logit of the probability of the row's own label for classifiers, the signed residual for
        regressions.
        """
        run = self._run
        if run.loss in LABELLED:
            margins = self._margins(models)
            own = self._own(margins)
            rest = margins.copy()
            np.put_along_axis(rest, self._labels(len(models)), -np.inf, axis=2)
            return np.asarray(own - logsumexp(rest, axis=2))
        u = models @ self._x.T
        return np.asarray(self._y * u if run.loss == "logistic" else u - self._y)

    def gradient_norms(self, models: Floats) -> Floats:
        """Norm of the gradient of each row's loss, without the regularizer, (m, rows)."""
        run = self._run
        if run.network is not None:
            return self._network_norms(models)
        norms = np.linalg.norm(self._x, axis=1)
        if run.loss == "softmax":
            margins = self._margins(models)
            slopes = np.exp(margins - logsumexp(margins, axis=2, keepdims=True))
            np.put_along_axis(slopes, self._labels(len(models)), self._misses(margins), axis=2)
            return np.asarray(np.linalg.norm(slopes, axis=2) * norms)
        u = models @ self._x.T
        if run.loss == "logistic":
            return np.asarray(expit(-self._y * u) * norms)
        size = np.abs(u - self._y)
        if run.threshold is not None:
            size = np.minimum(size, float(run.threshold))
        return np.asarray(size * norms)

    def _misses(self, margins: Floats) -> Floats:
        """1 - probability of the own label, (m, rows, 1)."""
        return np.asarray(-np.expm1(self._own(margins) - logsumexp(margins, axis=2)))[:, :, None]

    def _margins(self, models: Floats) -> Floats:
        """(m, rows, classes)."""
        if self._run.network is not None:
            return self._network_margins(models)
        matrices = models.reshape(len(models), self._run.d, self._run.classes)
        return np.asarray(np.einsum("mdk,rd->mrk", matrices, self._x))

    def _network_margins(self, models: Floats) -> Floats:
        import torch

        from certaudit.shadows.network import at_once, outputs

        run = self._run
        assert run.network is not None
        of = torch.func.vmap(outputs(run.network, run.d, run.classes), in_dims=(0, None))
        x, every = torch.from_numpy(self._x), torch.from_numpy(np.ascontiguousarray(models))
        size = at_once(4 * run.parameters * len(x))
        with torch.no_grad():
            parts = [of(some, x) for some in torch.split(every, size)]
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)

    def _network_norms(self, models: Floats) -> Floats:
        import torch

        from certaudit.shadows.network import at_once, row_gradients

        run = self._run
        each = row_gradients(run)
        x, y = torch.from_numpy(self._x), torch.from_numpy(self._y).long()
        every = torch.from_numpy(np.ascontiguousarray(models))
        size = at_once(run.parameters * len(x))
        norms = [each(some, x, y).norm(dim=2) for some in torch.split(every, size)]
        return np.asarray(torch.cat(norms).numpy(), dtype=np.float64)

    def _labels(self, models: int) -> NDArray[np.int64]:
        labels = self._y.astype(np.int64)
        return np.broadcast_to(labels[None, :, None], (models, len(labels), 1))

    def _own(self, margins: Floats) -> Floats:
        return np.asarray(np.take_along_axis(margins, self._labels(len(margins)), axis=2)[:, :, 0])
