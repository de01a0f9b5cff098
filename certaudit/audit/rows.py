"""What many models make of a few rows: margins, losses, confidences and gradient norms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from certaudit.losses import LOSSES, settings
from certaudit.run import Run

Floats = NDArray[np.float64]


class Rows:
    """Some rows of a run's data, under the run's loss.  Every method takes (m, parameters) models; of a
    learned model with the final one beside it, (m, 2 parameters), it looks at the learned one, which
    tells all that the two tell (O1)."""

    def __init__(self, run: Run, rows: Sequence[int]) -> None:
        self._run = run
        self._loss, self._settings = LOSSES[run.loss], settings(run)
        self._x = np.array(run.X[list(rows)], dtype=np.float64)
        self._y = np.array(run.y[list(rows)], dtype=np.float64)

    def losses(self, models: Floats) -> Floats:
        """Loss at each row, (m, rows)."""
        return self._loss.value(self._margins(models), self._y, self._settings)

    def confidences(self, models: Floats) -> Floats:
        """What is nearly Gaussian over models, (m, rows).

        The logit of the probability of the row's own label for classifiers, the signed residual for
        regressions.
        """
        return self._loss.confidence(self._margins(models), self._y, self._settings)

    def gradient_norms(self, models: Floats) -> Floats:
        """Norm of the gradient of each row's loss, without the regularizer, (m, rows)."""
        if self._run.network is not None:
            return self._network_norms(models)
        sizes = self._loss.slope_size(self._margins(models), self._y, self._settings)
        return np.asarray(sizes * np.linalg.norm(self._x, axis=1))

    def _margins(self, models: Floats) -> Floats:
        """(m, rows), or (m, rows, classes) for a loss of one margin a class."""
        models = models[:, : self._run.parameters]
        if self._run.network is not None:
            return self._network_margins(models)
        if self._loss.margin:
            return models @ self._x.T
        matrices = models.reshape(len(models), self._run.d, self._run.classes)
        return np.asarray(np.einsum("mdk,rd->mrk", matrices, self._x))

    def _network_margins(self, models: Floats) -> Floats:
        import torch

        from certaudit.audit.shadows.network import at_once, outputs

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

        from certaudit.audit.shadows.network import at_once, row_gradients

        run = self._run
        each = row_gradients(run)
        x, y = torch.from_numpy(self._x), torch.from_numpy(self._y).long()
        models = models[:, : run.parameters]
        every = torch.from_numpy(np.ascontiguousarray(models))
        size = at_once(run.parameters * len(x))
        norms = [each(some, x, y).norm(dim=2) for some in torch.split(every, size)]
        return np.asarray(torch.cat(norms).numpy(), dtype=np.float64)
