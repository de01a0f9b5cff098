"""Runs, noise sources and plain references that the shadow and attack tests share."""

import dataclasses
from fractions import Fraction as F
from functools import partial

import numpy as np

from certaudit.audit.shadows.noise import BLOCK, PhiloxNoise
from certaudit.run import Phase, Reference, Request, Run, Start

LEARN = Phase(60, F(5, 2), F(1, 2500))
UNLEARN = Phase(10, F(5, 2), F(1, 2500))


def ridge_run(**changes):
    """A small run with the shape of the diabetes one: 60 unit rows in 6 dimensions."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(60, 6))
    y = X @ rng.normal(size=6) + rng.normal(size=60)
    base = Run(
        X=X / np.linalg.norm(X, axis=1, keepdims=True),
        y=y / np.abs(y).max(),
        loss="ridge",
        l2=F(1, 20),
        normalizer="fixed",
        learn=LEARN,
        requests=(Request((7,), UNLEARN),),
        start=Start((F(0),) * 6, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 60),
        release="final",
    )
    return dataclasses.replace(base, **changes)


def logistic_run(**changes):
    run = ridge_run(loss="logistic", **changes)
    return dataclasses.replace(run, y=np.where(run.y > 0, 1.0, -1.0))


def huber_run(**changes):
    return ridge_run(loss="huber", threshold=F(1, 3), **changes)


def softmax_run(**changes):
    """Three classes; rows of different norms, so that clipping by |p - e_y| |x| shows."""
    plain = ridge_run()
    features = plain.X * np.linspace(0.5, 2, 60)[:, None]
    labels = np.digitize(plain.y, [-0.2, 0.2]).astype(float)
    start = Start(tuple(F(k, 10) for k in range(18)), F(0))
    return ridge_run(
        **{"loss": "softmax", "classes": 3, "X": features, "y": labels, "start": start} | changes
    )


RUNS = {"ridge": ridge_run, "logistic": logistic_run, "huber": huber_run, "softmax": softmax_run}


def cycle(size, order=range(60)):
    """Batches of ``size`` rows in order."""
    order = list(order)
    return tuple(tuple(order[k : k + size]) for k in range(0, len(order), size))


def two_requests(**changes):
    """Settings: cyclic batches of different sizes, two requests, output noise, the reference's noise."""
    settings = {
        "learn": Phase(
            17, F(1, 2), F(1, 100), cycle(25, np.random.default_rng(3).permutation(60).tolist())
        ),
        "requests": (
            Request((7, 20), Phase(5, F(1, 4), F(1, 64), cycle(16))),
            Request((31,), Phase(4, F(1, 3), F(1, 49))),
        ),
        "reference": Reference("unlearn-retrained", 17, F(1, 16), F(1, 9)),
        "output_variance": F(1, 36),
    }
    return settings | changes


class SilentPhases:
    """Test double: the noise of the phases named is left out of the shadow code path."""

    def __init__(self, seed, *phases):
        self.inner, self.phases = PhiloxNoise(seed), phases

    def open(self, world, blocks, parameters):
        stream = self.inner.open(world, blocks, parameters)
        phases = self.phases

        class Stream:
            def draw(self, phase, request=0):
                return stream.draw(phase, request) * (phase not in phases)

        return Stream()


class TableNoise:
    """Test double: the draws of (world, phase, request) are a table made in advance, read in order."""

    def __init__(self, seed, parameters):
        self.seed, self.parameters = seed, parameters

    def table(self, world, phase, request):
        """(steps, BLOCK, parameters)."""
        key = ["P", "Q"].index(world), ["start", "learn", "unlearn", "output"].index(phase), request
        return np.random.default_rng((self.seed, *key)).normal(size=(70, BLOCK, self.parameters))

    def open(self, world, blocks, parameters):
        assert len(blocks) == 1
        assert parameters == self.parameters
        return TableStream(partial(self.table, world))


class TableStream:
    def __init__(self, table):
        self.table, self.places = table, {}

    def draw(self, phase, request=0):
        rest = self.places.setdefault((phase, request), iter(self.table(phase, request)))
        return next(rest)


def example_gradient(run, w, x, y):
    """Gradient of one row's loss at one model, parameters flattened (feature, class)."""
    if run.loss == "softmax":
        scores = [sum(x[i] * w[i * run.classes + k] for i in range(run.d)) for k in range(run.classes)]
        chances = np.exp(np.array(scores) - max(scores))
        chances /= chances.sum()
        chances[int(y)] -= 1
        return np.array([x[i] * chances[k] for i in range(run.d) for k in range(run.classes)])
    u = float(x @ w)
    residual = u - y
    if run.loss == "huber":
        residual = max(-float(run.threshold), min(float(run.threshold), residual))
    return x * (-y / (1 + np.exp(y * u)) if run.loss == "logistic" else residual)


def plain_gradient(run, w, members, removed):
    """Gradient of the objective on the batch ``members`` without the rows ``removed``, row by row."""
    rows = [j for j in members if j not in removed]
    count = {"fixed": len(members), "current": max(len(rows), 1), "sum": 1}[run.normalizer]
    l2, total = float(run.l2), np.zeros_like(w)
    for j in rows:
        g = example_gradient(run, w, run.X[j], run.y[j])
        if run.clip is not None:
            if run.clip.regularizer:
                g = g + l2 * w
            g = g * min(1.0, float(run.clip.norm) / np.linalg.norm(g))
        total += g / count
    return total if run.clip is not None and run.clip.regularizer else total + l2 * w


def plain_run(run, world, shadow, noise):
    """All iterates of one shadow, then its released model, by a loop that reads the spec's words."""
    w = np.array([float(x) for x in run.start.mean])
    w = w + float(run.start.variance) ** 0.5 * noise.table(world, "start", 0)[0, shadow]
    iterates = [w]

    def work(phase, steps, variance, removed, name, request):
        nonlocal w
        draws = noise.table(world, name, request)
        for t in range(steps):
            members = phase.batches[t % len(phase.batches)] if phase.batches else range(run.n)
            w = w - float(phase.step_size) * plain_gradient(run, w, members, removed)
            w = w + float(variance) ** 0.5 * draws[t, shadow]
            if run.projection is not None and np.linalg.norm(w) > float(run.projection):
                w = w * float(run.projection) / np.linalg.norm(w)
            iterates.append(w)

    gone = set() if world == "P" else set(run.forget)
    steps = run.learn.steps if world == "P" else run.reference.steps
    work(run.learn, steps, run.learn.noise_variance, gone, "learn", 0)
    for k, request in enumerate(run.requests):
        if world == "Q" and run.reference.kind == "retrained":
            break
        gone = gone | set(request.rows)
        own = run.reference.unlearn_variance if world == "Q" else None
        variance = request.unlearn.noise_variance if own is None else own
        work(request.unlearn, request.unlearn.steps, variance, gone, "unlearn", k)
    own = run.reference.output_variance if world == "Q" else None
    variance = run.output_variance if own is None else own
    return iterates, w + float(variance) ** 0.5 * noise.table(world, "output", 0)[0, shadow]


def affine_law(run, world):
    """Mean and covariance of a full-batch ridge run's released model by the plain recursion."""
    m, S = np.array([float(x) for x in run.start.mean]), float(run.start.variance) * np.eye(run.d)

    def phase(removed, eta, steps, variance):
        nonlocal m, S
        rows = [j for j in range(run.n) if j not in removed]
        X, y = run.X[rows], run.y[rows]
        count = {"fixed": run.n, "current": len(rows), "sum": 1}[run.normalizer]
        A = np.eye(run.d) - eta * (X.T @ X / count + float(run.l2) * np.eye(run.d))
        for _ in range(steps):
            m = A @ m + eta * X.T @ y / count
            S = A @ S @ A.T + float(variance) * np.eye(run.d)

    gone = set() if world == "P" else set(run.forget)
    steps = run.learn.steps if world == "P" else run.reference.steps
    phase(gone, float(run.learn.step_size), steps, run.learn.noise_variance)
    if world == "P" or run.reference.kind == "unlearn-retrained":
        for request in run.requests:
            gone = gone | set(request.rows)
            own = request.unlearn
            phase(gone, float(own.step_size), own.steps, own.noise_variance)
    return m, S + float(run.output_variance) * np.eye(run.d)


def exact_law(run):
    """The laws of the models released after k requests, for an audit of a full-batch ridge run."""

    def law(requests):
        stage = run.after(requests)
        return (*affine_law(stage, "P"), *affine_law(stage, "Q"))

    return law
