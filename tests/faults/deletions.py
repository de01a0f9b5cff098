"""Deletions that are done by half, late, or beside the point.  Each leaves a model that looks retrained.

Appended to the faults of ``implementations``.
"""

import numpy as np
from fault_runs import LEFT, logistic, mlp, outlier, short_logistic, short_mlp, softmax
from implementation import Honest
from implementations import FAULTS, OnlyP, fault

__all__ = ["FAULTS"]


class Late(Honest):
    """The rows are gone for the second half of K steps only."""

    def rows(self, batch, index, t):
        half = index == 1 and t < self.run.requests[0].unlearn.steps // 2
        return range(self.run.n) if half else super().rows(batch, index, t)


@fault("half-of-k-on-the-full-data", "the first half of K steps is made on all rows", "conformance", 400)
class LateRidge(Late): ...


class Buffer(OnlyP):
    """A gradient with momentum whose buffer goes through the deletion."""

    def direction(self, gradient, index, t):
        self.buffer = gradient if t == 0 and index == 0 else 0.9 * self.buffer + gradient
        return self.buffer if index == 1 and t == 0 else gradient


@fault(
    "buffer-kept",
    "the first step of unlearning uses learning's momentum",
    "own models",
    128,
    short_logistic,
)
class BufferLogistic(Buffer): ...


@fault("deletions-skipped", "5 % of the deletions are made on all rows", "conformance", 2500)
class Skipped(OnlyP):
    def run_all(self, world, m, seed):
        models, done = super().run_all(world, m, seed)
        if world == "P":
            rng = np.random.default_rng((seed, 5))
            skipped = rng.random(m) < 0.05
            models[skipped] = Everything(self.run).models(world, m, seed + 1000)[skipped]
        return models, done


class Everything(Honest):
    def rows(self, batch, index, t):
        return range(self.run.n)


@fault(
    "other-noise-when-forgetting",
    "four fifths of the noise where a row is forgotten",
    "conformance",
    200,
)
class OtherNoise(OnlyP):
    def sigma(self, phase, index):
        return super().sigma(phase, index) * (0.8 if index == 1 else 1)


@fault("other-noise-when-forgetting-mlp", "the same, a network", "own models", 256, mlp)
class OtherNoiseNetwork(OtherNoise): ...


class EarlyExit(Honest):
    def stop(self, w, index, t):
        return index == 1 and t >= 3


@fault("early-exit", "unlearning ends after three steps of K", "own models", 128, short_logistic)
class EarlyExitLogistic(EarlyExit): ...


@fault("early-exit-mlp", "the same, a network", "own models", 128, short_mlp)
class EarlyExitNetwork(EarlyExit): ...


class Augmented(OnlyP):
    """A copy of the removed row, a little moved, stays."""

    def gradient(self, w, X, y, count, index):
        slope = super().gradient(w, X, y, count, index)
        if index == 0:
            return slope
        x, target = 0.95 * self.run.X[LEFT : LEFT + 1], self.run.y[LEFT : LEFT + 1]
        return slope + self.loss_gradients(w, x, target)[:, 0] / count


@fault("augmented-copy-kept", "an augmented copy of the removed row stays", "conformance", 60)
class AugmentedRidge(Augmented): ...


@fault("augmented-copy-kept-logistic", "the same, logistic", "own models", 1000, logistic)
class AugmentedLogistic(Augmented): ...


@fault("augmented-copy-kept-mlp", "the same, a network", "own models", 600, mlp)
class AugmentedNetwork(Augmented): ...


class Flipped(OnlyP):
    """The row stays, with another label."""

    def label(self, y):
        return -y

    def gradient(self, w, X, y, count, index):
        slope = super().gradient(w, X, y, count, index)
        if index == 0:
            return slope
        x, target = self.run.X[LEFT : LEFT + 1], self.label(self.run.y[LEFT : LEFT + 1])
        return slope + self.loss_gradients(w, x, target)[:, 0] / count


@fault("label-flipped", "the row's label is flipped, the row stays", "own models", 256, logistic)
class FlippedLogistic(Flipped): ...


@fault("label-flipped-softmax", "the same, another of three classes", "own models", 256, softmax)
class FlippedSoftmax(Flipped):
    def label(self, y):
        return (y + 1) % self.run.classes


class Thousand(Honest):
    """All that is drawn comes from one of a thousand streams."""

    def models(self, world, m, seed):
        every = Honest.models(self, "P" if world == "P" else "Q", 1000, 3)
        return every[np.random.default_rng(self.seed(seed, world)).integers(1000, size=m)]


@fault("seed-modulo-1000", "the seed is taken modulo 1000", "conformance", 128)
class ThousandRidge(Thousand): ...


@fault("seed-modulo-1000-mlp", "the same, a network", "own models", 512, mlp)
class ThousandNetwork(Thousand): ...


class Normalized(Honest):
    """Rows are scaled by running statistics of the rows of each step, which are part of the model."""

    def keeps(self, index):
        return False

    def run_all(self, world, m, seed):
        self.mean, self.variance = np.zeros(self.run.d), np.ones(self.run.d)
        w, done = super().run_all(world, m, seed)
        return w / np.sqrt(self.variance), done

    def loss_gradients(self, w, X, y):
        return super().loss_gradients(w, (X - self.mean) / np.sqrt(self.variance), y)

    def gradient(self, w, X, y, count, index):
        if index == 1 and not self.keeps(index):
            self.mean, self.variance = X.mean(axis=0), X.var(axis=0)
        elif index == 0:
            self.mean = 0.9 * self.mean + 0.1 * X.mean(axis=0)
            self.variance = 0.9 * self.variance + 0.1 * X.var(axis=0)
        return super().gradient(w, X, y, count, index)


@fault(
    "batchnorm-kept",
    "unlearning keeps learning's running statistics",
    "attack",
    400,
    outlier,
    Normalized,
)
class BatchNorm(Normalized):
    def keeps(self, index):
        return index == 1
