"""A plain numpy implementation of a spec's run, made to be broken: every choice is one small method."""

import numpy as np

from certaudit.audit.conformance.trace import Trace


class Honest:
    """Learns and unlearns as ``run`` says, ``models`` at a time."""

    def __init__(self, run):
        self.run = run

    # What a fault may change.

    def seed(self, seed, world):
        return (seed, "PQ".index(world))

    def start(self, rng, m):
        mean = np.array([float(x) for x in self.run.start.mean])
        return mean + float(self.run.start.variance) ** 0.5 * rng.normal(size=(m, len(mean)))

    def steps(self, segment, index):
        return segment.phase.steps

    def sigma(self, phase, index):
        return float(phase.noise_variance) ** 0.5

    def normal(self, rng, shape, index, t):
        return rng.normal(size=shape)

    def batch(self, segment, index, t):
        batches = segment.batches()
        return batches[t % len(batches)]

    def rows(self, batch, index, t):
        return self.run.rows(batch)

    def count(self, batch, index):
        return self.run.count(batch)

    def data(self, world):
        return self.run.X, self.run.y

    def l2(self, index):
        return float(self.run.l2)

    def loss_gradients(self, w, X, y):
        """(m, rows, parameters)."""
        if self.run.network is not None:
            return network_gradients(self.run, w, X, y)
        if self.run.classes > 1:
            u = X @ w.reshape(len(w), X.shape[1], self.run.classes)
            slopes = softmax_slopes(u, y)
            return (X[:, :, None] * slopes[:, :, None, :]).reshape(len(w), len(X), -1)
        u = w @ X.T
        slopes = u - y if self.run.loss == "ridge" else -y / (1 + np.exp(y * u))
        return slopes[:, :, None] * X

    def gradient(self, w, X, y, count, index):
        gradients = self.clip(self.loss_gradients(w, X, y), w)
        return gradients.sum(axis=1) / count + self.l2(index) * w

    def clip(self, gradients, w):
        if self.run.clip is None:
            return gradients
        return shorten(gradients, float(self.run.clip.norm))

    def direction(self, gradient, index, t):
        return gradient

    def project(self, w):
        if self.run.projection is None:
            return w
        return shorten(w, float(self.run.projection))

    def rounded(self, w):
        return w

    def stop(self, w, index, t):
        return False

    # What runs.

    def run_all(self, world, m, seed):
        """(final models, steps); a step is (phase, eta, noise, before, after, rows)."""
        rng = np.random.default_rng(self.seed(seed, world))
        X, y = self.data(world)
        w = self.start(rng, m)
        done = []
        for index, segment in enumerate(self.run.program(world)):
            eta, sigma = float(segment.phase.step_size), self.sigma(segment.phase, index)
            for t in range(self.steps(segment, index)):
                if self.stop(w, index, t):
                    break
                batch = self.batch(segment, index, t)
                rows = list(self.rows(batch, index, t))
                slope = self.gradient(w, X[rows], y[rows], self.count(batch, index), index)
                noise = sigma * self.normal(rng, w.shape, index, t)
                moved = w - eta * self.direction(slope, index, t) + noise
                after = self.rounded(self.project(moved))
                done.append((index, eta, noise[0], w[0], after[0], np.array(rows)))
                w = after
        return w, done

    def models(self, world, m, seed):
        return self.run_all(world, m, seed)[0]

    def trace(self, world, seed):
        _, done = self.run_all(world, 1, seed)
        clip, radius = self.run.clip, self.run.projection
        column = lambda k: np.array([step[k] for step in done])
        return Trace(
            phase=column(0),
            step_size=column(1).astype(float),
            noise=column(2),
            before=column(3),
            after=column(4),
            rows=tuple(step[5] for step in done),
            largest_gradient=np.full(len(done), np.nan if clip is None else float(clip.norm)),
            radius=np.full(len(done), np.nan if radius is None else float(radius)),
        )


def shorten(vectors, norm):
    """Vectors (..., d) longer than ``norm`` cut to it."""
    sizes = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors * np.minimum(1.0, norm / np.maximum(sizes, 1e-300))


def softmax_slopes(u, y):
    """Of the loss of outputs u (..., rows, classes): (..., rows, classes)."""
    p = np.exp(u - u.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p - np.eye(u.shape[-1])[y.astype(int)]


def network_gradients(run, w, X, y):
    """(m, rows, parameters) of one layer of tanh units and one of classes, by hand."""
    (units,), d, classes = run.network.widths, X.shape[1], run.classes
    cuts = np.cumsum([units * d, units, classes * units])
    first, offset, second, last = np.split(w, cuts, axis=1)
    first, second = first.reshape(-1, units, d), second.reshape(-1, classes, units)
    h = np.tanh(X @ first.transpose(0, 2, 1) + offset[:, None])
    slopes = softmax_slopes(h @ second.transpose(0, 2, 1) + last[:, None], y)
    back = (slopes @ second) * (1 - h**2)
    parts = [back[..., None] * X[:, None, :], back, slopes[..., None] * h[:, :, None, :], slopes]
    return np.concatenate([part.reshape(len(w), len(X), -1) for part in parts], axis=2)
