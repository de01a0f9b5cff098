"""The small runs that the faults are put into."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np

from certaudit.run import Clip, Network, Phase, Reference, Request, Run, Start

N, D, LEFT = 24, 4, 5
LEARN = Phase(30, F(4, 5), F(1, 100))
UNLEARN = Phase(8, F(4, 5), F(1, 100))


def ridge(**changes):
    """24 rows in 4 dimensions; row 5 is forgotten and pulls hard."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, D))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = X @ np.array([1.0, -0.5, 0.3, 0.8]) + 0.2 * rng.normal(size=N)
    X[LEFT] *= 1.5
    y[LEFT] = -4.0
    run = Run(
        X=X,
        y=y,
        loss="ridge",
        l2=F(1, 5),
        normalizer="fixed",
        learn=LEARN,
        requests=(Request((LEFT,), UNLEARN),),
        start=Start((F(1),) * D, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 30),
        release="final",
    )
    return replace(run, **changes)


def logistic(**changes):
    run = ridge(loss="logistic")
    X = run.X / np.maximum(np.linalg.norm(run.X, axis=1, keepdims=True), 1)
    return replace(run, X=X, y=np.where(run.y > 0, 1.0, -1.0), **changes)


def projected(**changes):
    return ridge(projection=F(4, 5), **changes)


def clipped(**changes):
    return logistic(clip=Clip(F(1, 4), False), **changes)


def cyclic(**changes):
    batches = tuple(tuple(range(k, k + 6)) for k in range(0, N, 6))
    phases = {
        "learn": replace(LEARN, batches=batches),
        "requests": (Request((LEFT,), replace(UNLEARN, batches=batches)),),
    }
    return ridge(**(phases | changes))


def quiet(**changes):
    """Many unlearning steps: the certificate's epsilon is tiny, so an attack sees what is left."""
    long = Phase(60, F(4, 5), F(1, 100))
    return ridge(requests=(Request((LEFT,), long),), **changes)


def outlier(**changes):
    """The forgotten row is large, so that statistics of the rows show it."""
    run = quiet(**changes)
    X = run.X.copy()
    X[LEFT] *= 4
    return replace(run, X=X)


def short(run=ridge, **changes):
    """Learning stops far from where it would end."""
    return run(learn=replace(LEARN, steps=4), **changes)


def short_logistic(**changes):
    return short(logistic, **changes)


def short_mlp(**changes):
    return short(mlp, **changes)


def current(**changes):
    return ridge(normalizer="current", **changes)


def one_step(**changes):
    return ridge(requests=(Request((LEFT,), replace(UNLEARN, steps=1)),), **changes)


def softmax(**changes):
    """Three classes by the target's size; the forgotten row's class is rare among its neighbours."""
    run = ridge(loss="softmax", classes=3, start=Start((F(0),) * (3 * D), F(0)))
    return replace(run, y=np.digitize(run.y, [-0.5, 0.5]).astype(float), **changes)


def mlp(**changes):
    """The same classes, five tanh units."""
    network = Network("mlp", (5,), "tanh")
    size = network.parameters(D, 3)
    mean = tuple(F(round(100 * value), 100) for value in np.random.default_rng(9).normal(size=size))
    return softmax(loss="network", network=network, start=Start(mean, F(0)), **changes)
