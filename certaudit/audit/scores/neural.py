"""A small neural network that tells the worlds apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from certaudit.audit.scores.base import Floats, StandardizedScore

HIDDEN, EPOCHS, RATE, DECAY = 16, 40, 0.05, 0.02


class NeuralDistinguisher(StandardizedScore):
    """The logit of a two-layer perceptron trained on standardized parameters.

    Full-batch Adam with weight decay from a seeded start, on at most the 1024 latest shadows of each
    world.
    """

    name = "neural distinguisher"
    log_ratio = True
    least = 48

    def fit(self, p: Floats, q: Floats) -> None:
        """Train from scratch."""
        import torch

        p, q = self._latest(p, q)
        x = torch.from_numpy(self._standard(np.concatenate([p, q])))
        y = torch.cat([torch.ones(len(p)), torch.zeros(len(q))]).double()
        generator = torch.Generator().manual_seed(self._seed)
        shapes: list[tuple[int, ...]] = [(x.shape[1], HIDDEN), (HIDDEN,), (HIDDEN,), (1,)]
        self._layers = [
            torch.randn(*shape, generator=generator, dtype=torch.float64) / shape[0] ** 0.5
            for shape in shapes
        ]
        with _one_thread():
            self._train(x, y)

    def _train(self, x: Any, y: Any) -> None:
        import torch

        for layer in self._layers:
            layer.requires_grad_()
        optimizer = torch.optim.AdamW(self._layers, lr=RATE, weight_decay=DECAY)
        for _ in range(EPOCHS):
            optimizer.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(self._logits(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        self._layers = [layer.detach() for layer in self._layers]

    def score(self, models: Floats) -> Floats:
        """The logit."""
        import torch

        with torch.no_grad():
            logits = self._logits(torch.from_numpy(self._standard(models)))
        return np.asarray(logits.numpy(), dtype=np.float64)

    def _logits(self, x: Any) -> Any:
        first, bias, second, last = self._layers
        return (x @ first + bias).tanh() @ second + last


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tables this small are slower on several threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
