"""Per-example gradients of small networks, by hand, for many models at once."""

import numpy as np

from certaudit.run import Network, Run


def examples(run: Run, X: np.ndarray, y: np.ndarray, models: np.ndarray) -> np.ndarray:
    """Gradients (m, rows, parameters) in the order weight, bias, layer by layer."""
    network = run.network
    if not len(X):
        return np.zeros((len(models), 0, models.shape[1]))
    layers = _layers(network, X.shape[1], run.classes)
    weights = _cut(models, layers)
    inputs, before, bent = _forward(network, X, weights)
    flow = np.exp(bent - bent.max(axis=2, keepdims=True))
    flow = flow / flow.sum(axis=2, keepdims=True) - np.eye(run.classes)[y.astype(int)]
    found: list[np.ndarray] = []
    for k in reversed(range(len(weights))):
        weight = weights[k][0]
        if k < len(weights) - 1:
            flow = flow.reshape(before[k].shape) * _derivative(network.activation, before[k])
        found[:0] = _parameters(flow, inputs[k], weight)
        flow = _back(flow, weight, inputs[k].shape)
    return np.concatenate(found, axis=2)


def _layers(network: Network, features: int, classes: int) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    size, channels, image = features, 1, network.image
    for width in network.widths:
        if image is None:
            shapes.append((width, size))
            size = width
        else:
            shapes.append((width, channels, network.kernel, network.kernel))
            image = (image[0] - network.kernel + 1, image[1] - network.kernel + 1)
            channels, size = width, width * image[0] * image[1]
    return [*shapes, (classes, size)]


def parameters(network: Network, features: int, classes: int) -> int:
    """How many numbers a model has."""
    return sum(int(np.prod(s)) + s[0] for s in _layers(network, features, classes))


def _cut(models: np.ndarray, layers: list[tuple[int, ...]]) -> list[tuple[np.ndarray, np.ndarray]]:
    cut, at = [], 0
    for shape in layers:
        size = int(np.prod(shape))
        weight = models[:, at : at + size].reshape(-1, *shape)
        cut.append((weight, models[:, at + size : at + size + shape[0]]))
        at += size + shape[0]
    return cut


def _forward(network: Network, X: np.ndarray, weights: list) -> tuple[list, list, np.ndarray]:
    now = np.broadcast_to(X, (len(weights[0][0]), *X.shape))
    if network.image is not None:
        now = now.reshape(*now.shape[:2], 1, *network.image)
    inputs, before = [], []
    for k, (weight, bias) in enumerate(weights):
        if weight.ndim == 3 and now.ndim > 3:
            now = now.reshape(*now.shape[:2], -1)
        inputs.append(now)
        if weight.ndim == 3:
            now = np.einsum("mri,moi->mro", now, weight) + bias[:, None, :]
        else:
            now = np.einsum("mrcxyab,mocab->mroxy", _windows(now, weight), weight)
            now = now + bias[:, None, :, None, None]
        before.append(now)
        if k < len(weights) - 1:
            now = np.tanh(now) if network.activation == "tanh" else np.maximum(now, 0)
    return inputs, before, now


def _windows(images: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(images, weight.shape[-2:], axis=(3, 4))


def _derivative(activation: str, before: np.ndarray) -> np.ndarray:
    return 1 - np.tanh(before) ** 2 if activation == "tanh" else (before > 0).astype(float)


def _parameters(flow: np.ndarray, inputs: np.ndarray, weight: np.ndarray) -> list[np.ndarray]:
    m, rows = flow.shape[:2]
    if weight.ndim == 3:
        return [np.einsum("mro,mri->mroi", flow, inputs).reshape(m, rows, -1), flow]
    own = np.einsum("mroxy,mrcxyab->mrocab", flow, _windows(inputs, weight))
    return [own.reshape(m, rows, -1), flow.sum(axis=(3, 4))]


def _back(flow: np.ndarray, weight: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The flow into a layer's inputs, in the shape that the layer before has it."""
    if weight.ndim == 3:
        return np.einsum("mro,moi->mri", flow, weight)
    found = np.zeros(shape)
    rows, columns = flow.shape[3:]
    for a in range(weight.shape[3]):
        for b in range(weight.shape[4]):
            found[..., a : a + rows, b : b + columns] += np.einsum(
                "mroxy,moc->mrcxy", flow, weight[..., a, b]
            )
    return found
