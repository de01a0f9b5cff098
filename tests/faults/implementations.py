"""Faults of implementations: each a few lines away from the honest one."""

from dataclasses import dataclass

import numpy as np
from fault_runs import LEFT, clipped, current, cyclic, logistic, one_step, projected, quiet, ridge
from implementation import Honest, shorten


@dataclass(frozen=True)
class Fault:
    """``half``: who must catch it; ``budget``: shadow models of each world, or recorded traces;
    ``twin``: the code without the fault."""

    name: str
    wrong: str
    half: str
    budget: int
    run: object
    kind: type
    twin: type = Honest


FAULTS = []


def fault(name, wrong, half, budget, run=ridge, twin=Honest):
    def keep(kind):
        FAULTS.append(Fault(name, wrong, half, budget, run, kind, twin))
        return kind

    return keep


# Noise of the wrong size or law.


@fault("variance-as-std", "the standard deviation is set to the variance", "conformance", 10)
class VarianceAsStd(Honest):
    def sigma(self, phase, index):
        return float(phase.noise_variance)


@fault("no-sqrt-2-eta", "sigma is s where the spec's is s sqrt(2 eta)", "conformance", 40)
class NoRoot(Honest):
    def sigma(self, phase, index):
        return super().sigma(phase, index) / (2 * float(phase.step_size)) ** 0.5


@fault("no-eta-in-noise", "sigma is s sqrt(2) where the spec's is s sqrt(2 eta)", "conformance", 200)
class NoEta(Honest):
    def sigma(self, phase, index):
        return super().sigma(phase, index) / float(phase.step_size) ** 0.5


@fault("noise-times-eta", "the noise is multiplied by the step size", "conformance", 40)
class NoiseTimesEta(Honest):
    def sigma(self, phase, index):
        return super().sigma(phase, index) * float(phase.step_size)


@fault("noise-10-percent", "the noise is a tenth too large", "conformance", 200)
class TenPercent(Honest):
    def sigma(self, phase, index):
        return 1.1 * super().sigma(phase, index)


@fault("hard-coded-sigma", "a sigma left in the code, 100 times the spec's", "conformance", 3)
class HardCoded(Honest):
    def sigma(self, phase, index):
        return 100 * super().sigma(phase, index)


@fault("noise-over-batch", "the noise is divided by the batch size", "conformance", 10, cyclic)
class OverBatch(Honest):
    def sigma(self, phase, index):
        return super().sigma(phase, index) / len(phase.batches[0])


@fault("noise-only-in-learning", "unlearning adds no noise", "conformance", 40)
class OnlyLearning(Honest):
    def sigma(self, phase, index):
        return super().sigma(phase, index) * (index == 0)


@fault("noise-only-in-unlearning", "learning adds no noise", "conformance", 40, one_step)
class OnlyUnlearning(Honest):
    def sigma(self, phase, index):
        return super().sigma(phase, index) * (index == 1)


@fault("uniform-noise", "uniform noise of the right variance", "trace", 1, quiet)
class Uniform(Honest):
    def normal(self, rng, shape, index, t):
        return rng.uniform(-(3**0.5), 3**0.5, size=shape)


@fault("float16-noise", "the noise is drawn in half precision", "trace", 1, quiet)
class Float16Noise(Honest):
    def normal(self, rng, shape, index, t):
        return rng.normal(size=shape).astype(np.float16).astype(float)


@fault("float16-weights", "the parameters are kept in half precision", "trace", 1)
class Float16Weights(Honest):
    def rounded(self, w):
        return w.astype(np.float16).astype(float)


# Seeds.


@fault("same-seed-both-phases", "unlearning draws learning's numbers again", "trace", 1)
class SameSeed(Honest):
    def normal(self, rng, shape, index, t):
        if (index, t) == (0, 0):
            self.kept = []
        if index == 0:
            self.kept.append(rng.normal(size=shape))
        return self.kept[t]


@fault("one-draw", "one draw of the noise is added at every step", "conformance", 20)
class OneDraw(Honest):
    def normal(self, rng, shape, index, t):
        if (index, t) == (0, 0):
            self.kept = rng.normal(size=shape)
        return self.kept


@fault("seed-zero", "the seed is reset to 0 for every model", "conformance", 3)
class SeedZero(Honest):
    def normal(self, rng, shape, index, t):
        return np.repeat(rng.normal(size=(1, shape[1])), shape[0], axis=0)


@fault("seed-shared-by-worlds", "both worlds draw the same numbers", "conformance", 10)
class SharedSeed(Honest):
    def seed(self, seed, world):
        return seed


@fault("antithetic", "every second model gets the last one's noise, negated", "conformance", 20)
class Antithetic(Honest):
    def normal(self, rng, shape, index, t):
        half = rng.normal(size=(-(-shape[0] // 2), shape[1]))
        return np.stack([half, -half], axis=1).reshape(-1, shape[1])[: shape[0]]


# Steps.


@fault("one-k-too-few", "unlearning makes K - 1 steps", "trace", 1)
class OneTooFew(Honest):
    def steps(self, segment, index):
        return segment.phase.steps - (index == 1)


@fault("one-k-too-many", "unlearning makes K + 1 steps", "trace", 1)
class OneTooMany(Honest):
    def steps(self, segment, index):
        return segment.phase.steps + (index == 1)


@fault("off-by-one-schedule", "the removal gets one step, not K", "conformance", 40)
class OneStep(Honest):
    def steps(self, segment, index):
        return 1 if index == 1 else segment.phase.steps


@fault("t-overwritten", "T is overwritten", "trace", 1)
class Overwritten(Honest):
    def steps(self, segment, index):
        return 3 * segment.phase.steps if index == 0 else segment.phase.steps


@fault("early-stopping", "unlearning stops once the models move little", "trace", 1)
class EarlyStopping(Honest):
    def stop(self, w, index, t):
        return index == 1 and t >= 4 and np.linalg.norm(w, axis=1).mean() < 10


@fault("step-size-decay", "the step size decays in unlearning, the spec's does not", "trace", 1)
class Decay(Honest):
    def direction(self, gradient, index, t):
        return gradient / (1 + t) if index == 1 else gradient


@fault("momentum-kept", "momentum, whose buffer survives the deletion", "trace", 1)
class Momentum(Honest):
    def direction(self, gradient, index, t):
        first = (index, t) == (0, 0)
        self.buffer = gradient if first else 0.5 * self.buffer + 0.5 * gradient
        return self.buffer


# Rows and the objective.


@fault("full-set", "unlearning trains on the full set", "conformance", 20)
class FullSet(Honest):
    def rows(self, batch, index, t):
        return range(self.run.n)


@fault("normalizer-kept", "N stays n where the spec divides by what is left", "trace", 1, current)
class OldNormalizer(Honest):
    def count(self, batch, index):
        return self.run.n


@fault("l2-halved", "lambda is halved", "conformance", 40)
class HalfL2(Honest):
    def l2(self, index):
        return super().l2(index) / 2


@fault("l2-forgotten-in-unlearning", "unlearning has no regularizer", "conformance", 40)
class NoL2(Honest):
    def l2(self, index):
        return super().l2(index) * (index == 0)


@fault("stale-batch-order", "unlearning goes on where learning's cycle stopped", "trace", 1, cyclic)
class Stale(Honest):
    def batch(self, segment, index, t):
        return super().batch(segment, index, t + 2 * (index == 1))


@fault("batch-drawn-once", "the first mini-batch is used at every step", "trace", 1, cyclic)
class FirstBatch(Honest):
    def batch(self, segment, index, t):
        return super().batch(segment, index, 0)


@fault("labels-0-1", "labels 0 and 1 in a loss for labels -1 and +1", "trace", 1, logistic)
class ZeroOne(Honest):
    def data(self, world):
        return self.run.X, (self.run.y + 1) / 2


@fault(
    "row-in-statistic",
    "world P scales columns by the removed row too, Q without it",
    "attack",
    800,
    quiet,
)
class Statistic(Honest):
    def data(self, world):
        X, y = self.run.X, self.run.y
        rows = list(range(self.run.n) if world == "P" else self.run.kept)
        return X / X[rows].std(axis=0) * X.std(axis=0), y - y[rows].mean()


# Projection and clipping.


@fault("projection-skipped", "the iterates are not projected", "trace", 1, projected)
class NoProjection(Honest):
    def project(self, w):
        return w


@fault("sphere-for-ball", "every iterate is rescaled to the sphere", "trace", 1, projected)
class Sphere(Honest):
    def project(self, w):
        return w / np.linalg.norm(w, axis=1, keepdims=True) * float(self.run.projection)


@fault("radius-zero", "a switched-off projection projects onto radius 0", "trace", 1)
class RadiusZero(Honest):
    def project(self, w):
        return 0 * w


@fault("box-for-ball", "every coordinate is cut to the radius", "trace", 1, projected)
class Box(Honest):
    def project(self, w):
        return np.clip(w, -float(self.run.projection), float(self.run.projection))


@fault(
    "clip-with-regularizer", "each gradient is clipped with the regularizer inside", "trace", 1, clipped
)
class ClipAll(Honest):
    def gradient(self, w, X, y, count, index):
        whole = self.loss_gradients(w, X, y) + self.l2(index) * w[:, None, :]
        return shorten(whole, float(self.run.clip.norm)).sum(axis=1) / count


@fault("clip-of-the-batch", "the batch's gradient is clipped, not each row's", "trace", 1, clipped)
class ClipBatch(Honest):
    def gradient(self, w, X, y, count, index):
        mean = self.loss_gradients(w, X, y).sum(axis=1) / count
        return shorten(mean, float(self.run.clip.norm)) + self.l2(index) * w


# Unlearners that do not unlearn.


class OnlyP(Honest):
    """World Q stays honest."""

    def run_all(self, world, m, seed):
        kind = super() if world == "P" else Honest(self.run)
        return kind.run_all(world, m, seed)


@fault("identity", "the unlearner returns the learned model", "attack", 200, quiet)
class Identity(OnlyP):
    def steps(self, segment, index):
        return segment.phase.steps if index == 0 else 0


@fault("over-forgetting", "ascends the removed row's loss", "attack", 200, quiet)
class Ascent(OnlyP):
    def direction(self, gradient, index, t):
        if index == 0:
            return gradient
        x = self.run.X[LEFT]
        return gradient - 0.3 * x / float(np.linalg.norm(x))


@fault("refit-on-everything", "the deletion is followed by a fit of the full set", "attack", 200, quiet)
class Refit(OnlyP):
    def rows(self, batch, index, t):
        return range(self.run.n)


@fault("wrong-index", "the row after the right one is removed", "attack", 200, quiet)
class WrongIndex(OnlyP):
    def rows(self, batch, index, t):
        gone = {(row + 1) % self.run.n for row in batch.removed}
        return [j for j in range(self.run.n) if j not in gone]
