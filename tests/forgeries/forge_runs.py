"""Small runs that between them meet every rule of the certificate format."""

from fractions import Fraction

import numpy as np

from certaudit.run import Clip, Phase, Reference, Request, Run, Start

ETA, NOISE = Fraction(1, 2), Fraction(1, 100)


def rows(n=4, d=2, seed=1):
    """Rows of norm 1 with few binary digits, and targets."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X = np.round(X / np.linalg.norm(X, axis=1)[:, None] * 64) / 64
    return X, np.round(rng.normal(size=n) * 16) / 64


def signs(n=4):
    """Labels -1 and 1."""
    return np.where(np.arange(n) % 2 == 0, 1.0, -1.0)


def phase(steps, noise=NOISE, eta=ETA, batches=()):
    return Phase(steps, eta, noise, batches)


THREE, TWO = phase(3), phase(2)


def make(X, y, loss="ridge", learn=THREE, unlearn=TWO, rows_gone=(3,), **changes):
    """A run from zero, changed as said."""
    requests = changes.pop("requests", (Request(tuple(rows_gone), unlearn),))
    classes = changes.get("classes", 1)
    fields = {
        "l2": Fraction(1, 8),
        "normalizer": "fixed",
        "start": Start((Fraction(0),) * (X.shape[1] * classes), Fraction(0)),
        "projection": None,
        "clip": None,
        "reference": Reference("unlearn-retrained", learn.steps),
        "release": "final",
    }
    return Run(X=X, y=y, loss=loss, learn=learn, requests=requests, **{**fields, **changes})


def line():
    """Ridge on a line."""
    X, y = rows(3, 1)
    return make(X, y, rows_gone=(2,), start=Start((Fraction(0),), Fraction(1, 16)))


def plane(**changes):
    """Ridge in two dimensions."""
    return make(*rows(), start=Start((Fraction(0),) * 2, Fraction(1, 16)), **changes)


def path():
    """Ridge with large residuals, every iterate seen."""
    X, y = rows()
    return make(X, y * 8, learn=phase(2), unlearn=phase(1), release="every-step")


def cyclic(**changes):
    """Ridge with batches in turn and two requests."""
    learn, unlearn = phase(5, batches=((0, 1), (2, 3))), phase(2, batches=((0, 1), (2, 3)))
    requests = (Request((3,), unlearn), Request((1,), unlearn))
    return make(*rows(), learn=learn, requests=requests, output_variance=Fraction(1, 50), **changes)


def logistic(**changes):
    X, _ = rows()
    return make(X, signs(), "logistic", **changes)


def projected(**changes):
    """Huber on a ball."""
    return make(*rows(), "huber", threshold=Fraction(1, 4), projection=Fraction(1, 2), **changes)


def softmax(regularizer=False, **changes):
    """Softmax with clipped gradients and steps that may expand."""
    X, _ = rows()
    y = np.array([0.0, 1.0, 2.0, 1.0])
    clip = Clip(Fraction(1, 2), regularizer)
    start = Start((Fraction(0),) * 6, Fraction(0))
    return make(X, y, "softmax", classes=3, clip=clip, start=start, **changes)
