"""Small networks, many models at once (torch.func).

A model is one vector of parameters in the order of torch's state dict.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.nn import functional

from certaudit.audit.shadows.noise import BLOCK
from certaudit.audit.shadows.slices import models_at_once
from certaudit.run import Network, Run

Outputs = Callable[[Tensor, Tensor], Tensor]
"""From one model (parameters,) and rows (n, d) to its outputs (n, classes)."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}
WORK_BYTES = 1 << 26
"""Memory for the gradients of the models taken at once."""


def outputs(network: Network, features: int, classes: int) -> Outputs:
    """The network as a function of one model and rows."""
    shapes = network.shapes(features, classes)
    sizes = [prod(shape) for shape in shapes]
    activation = ACTIVATIONS[network.activation]

    def of(model: Tensor, x: Tensor) -> Tensor:
        parts = [
            part.reshape(shape) for part, shape in zip(torch.split(model, sizes), shapes, strict=True)
        ]
        *inner, (weight, bias) = zip(parts[::2], parts[1::2], strict=True)
        h = x if network.image is None else x.reshape(len(x), 1, *network.image)
        for w, b in inner:
            h = activation(functional.linear(h, w, b) if w.dim() == 2 else _convolve(h, w, b))
        return functional.linear(h.flatten(1), weight, bias)

    return of


def _convolve(h: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Windows times weights: one matrix product a model, which batches over models better."""
    rows, columns = (side - weight.shape[-1] + 1 for side in h.shape[2:])
    windows = functional.unfold(h, weight.shape[-2:])
    out = weight.flatten(1) @ windows + bias[:, None]
    return out.reshape(len(h), len(weight), rows, columns)


def loss_of(run: Run) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Sum of the run's losses of one model at rows x (n, d) with labels y (n,)."""
    assert run.network is not None
    network = outputs(run.network, run.d, run.classes)
    return lambda model, x, y: functional.cross_entropy(network(model, x), y, reduction="sum")


def row_gradients(run: Run) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """From models (m, p), rows (n, d) and labels (n,) to the gradient at each row, (m, n, p)."""
    loss = loss_of(run)

    def of_row(model: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return loss(model, x[None], y[None])

    each: Callable[[Tensor, Tensor, Tensor], Tensor] = vmap(
        vmap(grad(of_row), in_dims=(None, 0, 0)), in_dims=(0, None, None)
    )
    return each


def gradient(run: Run, x: Tensor, y: Tensor, count: int) -> Callable[[Tensor], Tensor]:
    """Gradient of the objective on rows x (n, d) with labels y (n,) and N = ``count``, for (m, p)
    models at once."""
    labels, l2 = y.long(), float(run.l2)
    if run.clip is None:
        whole: Callable[..., Tensor] = vmap(grad(loss_of(run)), in_dims=(0, None, None))

        def few(models: Tensor) -> Tensor:
            mean: Tensor = whole(models, x, labels) / count + l2 * models
            return mean

        size = at_once(len(x) * run.d + run.parameters)
    else:
        limit, inside = float(run.clip.norm), run.clip.regularizer
        each = row_gradients(run)

        def few(models: Tensor) -> Tensor:
            rows = each(models, x, labels)
            decay = l2 * models
            if inside:
                rows = rows + decay[:, None]
            factors = (limit / rows.norm(dim=2)).clamp(max=1)
            total: Tensor = (factors[:, None] @ rows)[:, 0] / count
            return total if inside else total + decay

        size = at_once(len(x) * run.parameters)
    return lambda models: torch.cat([few(some) for some in torch.split(models, size)])


def at_once(numbers: int) -> int:
    """Networks to take at a time, each needing so many numbers; at most a block of shadows."""
    return min(models_at_once(numbers, WORK_BYTES), BLOCK)
