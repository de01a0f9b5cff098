"""Runs and lines for the tests of the rules about single steps and of I1."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
from flint import arb

from certaudit.core.balls import ball
from certaudit.core.proof import Proof
from certaudit.core.rules.contraction import Witness as StepWitness
from certaudit.core.statement import Contraction, Sensitivity
from certaudit.run import Batch, Phase, Reference, Request, Run, Start
from certaudit.search import curvature

LOSSES = {
    "ridge": {},
    "logistic": {},
    "huber": {"threshold": F(1, 2)},
    "softmax": {"classes": 3},
}


def small(loss="logistic", n=7, d=2, seed=0, **changes):
    """Full batches, two rows forgotten where there are as many."""
    rng = np.random.default_rng(seed)
    labels = {"logistic": np.sign(rng.normal(size=n)), "softmax": rng.integers(0, 3, n).astype(float)}
    rows = tuple(row for row in (1, 4) if row < len(changes.get("X", range(n))))
    parameters = d * LOSSES[loss].get("classes", 1)
    base = Run(
        X=rng.normal(size=(n, d)),
        y=labels.get(loss, rng.normal(size=n)),
        loss=loss,
        l2=F(1, 10),
        normalizer="fixed",
        learn=Phase(4, F(1, 2), F(1, 16)),
        requests=(Request(rows, Phase(3, F(1, 4), F(1, 16))),),
        start=Start((F(0),) * parameters, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 4),
        release="final",
        **LOSSES[loss],
    )
    return replace(base, **changes)


def curved(run, batch):
    """(proof, Curvature line) of a batch."""
    proof = Proof(run)
    return proof, proof.apply("curvature", (), curvature.witness(run, batch))


def rate(run, batch, step_size):
    """The Contraction of a step."""
    proof, line = curved(run, batch)
    return proof.apply("contraction", (line,), StepWitness(step_size)).statement


def gradients(run, w):
    """The gradient of each row's loss at w as the run clips it, (n, parameters)."""
    w, rows = np.asarray(w, dtype=float), []
    clip = run.clip
    for x, y in zip(run.X, run.y, strict=True):
        if run.loss == "softmax":
            u = w.reshape(run.d, run.classes).T @ x
            p = np.exp(u - u.max())
            p /= p.sum()
            p[int(y)] -= 1
            g = np.outer(x, p).ravel()
        else:
            u = x @ w
            slope = {
                "ridge": u - y,
                "logistic": -y / (1 + np.exp(min(y * u, 700.0))),
                "huber": np.clip(u - y, -float(run.threshold or 0), float(run.threshold or 0)),
            }[run.loss]
            g = slope * x
        if clip is not None:
            g = g + float(run.l2) * w * clip.regularizer
            g = g * min(1, float(clip.norm) / max(np.linalg.norm(g), 1e-300))
        rows.append(g)
    return np.array(rows)


def moved(run, w, batch, step_size):
    """phi(w), the noiseless step, before any projection."""
    w = np.asarray(w, dtype=float)
    rows = list(run.rows(batch))
    outside = float(run.l2) * w * (run.clip is None or not run.clip.regularizer)
    total = gradients(run, w)[rows].sum(axis=0) / run.count(batch)
    return w - float(step_size) * (total + outside)


def course(stretches, distance=F(0)):
    """(run, Sensitivity, Contractions...) whose course is ``stretches``: (count, c, s, sigma^2) each.

    It starts ``distance`` apart, by a restart in a ball of half that radius.
    """
    n = len(stretches) + 2
    ahead = [(1, F(1), F(0), F(1))] if distance else []
    phases = [Phase(count, F(k + 1), v) for k, (count, _, _, v) in enumerate([*ahead, *stretches])]
    run = Run(
        X=np.ones((n, 1)),
        y=np.ones(n),
        loss="ridge",
        l2=F(0),
        normalizer="fixed",
        learn=phases[0],
        requests=tuple(Request((k,), phase) for k, phase in enumerate(phases[1:])),
        start=Start((F(0),), F(0)),
        projection=distance / 2 if distance else None,
        clip=None,
        reference=Reference("unlearn-retrained", phases[0].steps),
        release="final",
    )
    batch = Batch(None, run.forget)
    rates = [Contraction(batch, F(k + 1), c) for k, (_, c, _, _) in enumerate([*ahead, *stretches])]
    last = sum(count for count, *_ in stretches) if distance else None
    shifts = tuple((count, ball(s)) for count, _, s, _ in stretches)
    return run, Sensitivity("any", shifts, last, arb(0)), *rates
