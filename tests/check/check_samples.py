"""Small runs and their derivations, made by the prover."""

from dataclasses import replace
from fractions import Fraction as Fr
from types import SimpleNamespace

import numpy as np

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.kernel import decide
from certaudit.kernel.balls import precision
from certaudit.prove.evidence import Evidence
from certaudit.prove.verify import verify
from certaudit.report import saved
from certaudit.run import Clip, Phase, Reference, Request, Run, Start
from certaudit.verdict import Status

BITS = 320


def run(loss="ridge", n=14, d=3, forget=((4,),), seed=0, **changes):
    """A small run that contracts."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    classes = 3 if loss == "softmax" else 1
    y = {
        "logistic": draw.choice([-1.0, 1.0], n),
        "softmax": draw.integers(0, 3, n).astype(float),
    }.get(loss, np.round(draw.normal(size=n), 3))
    phase = Phase(12, Fr(3, 2), Fr(1, 400))
    values = {
        "X": x,
        "y": y,
        "loss": loss,
        "l2": Fr(1, 10),
        "normalizer": "fixed",
        "learn": phase,
        "requests": tuple(Request(rows, replace(phase, steps=5)) for rows in forget),
        "start": Start((Fr(0),) * (d * classes), Fr(0)),
        "projection": None,
        "clip": None,
        "reference": Reference("unlearn-retrained", 12),
        "release": "final",
        "threshold": Fr(1, 2) if loss == "huber" else None,
        "classes": classes,
    }
    return Run(**{**values, **changes})


def document(run_, verdicts, name="sample"):
    """The derivation file of verdicts about one run."""
    loaded = SimpleNamespace(spec=SimpleNamespace(name=name), sha256="0" * 64)
    case = SimpleNamespace(run=run_, loaded=loaded)
    return saved.document(SimpleNamespace(case=case, verdicts=verdicts))


def proved(run_, *claims):
    """The prover's own derivation of the claims."""
    return document(run_, verify(Evidence(run_), claims))


def forced(run_, claim, make):
    """A derivation of one claim from the statements that ``make(evidence)`` returns."""
    with precision(BITS):
        statements = tuple(make(Evidence(run_)))
        proof = decide.refute(run_, claim, statements)
        status = Status.REFUTED
        if proof is None:
            proof, status = decide.prove(run_, claim, statements), Status.PROVED
    assert proof is not None, "the prover does not prove the claim"
    return document(run_, [SimpleNamespace(claim=claim, proof=proof, status=status)])


WIDE = Fr(10**6)


def epsilon(value=WIDE, delta=Fr(1, 10), **more):
    return EpsilonDelta("e", Fr(value), Fr(delta), **more)


def renyi(order=2, value=WIDE, **more):
    return RenyiClaim("r", Fr(order), Fr(value), **more)


def gaussian(mu=WIDE, delta=0, **more):
    return GaussianClaim("g", Fr(mu), Fr(delta), **more)


def sensitivity(step=3, value=WIDE, probability=Fr(1, 10)):
    return SensitivityClaim("s", step, Fr(value), Fr(probability))


__all__ = ["BITS", "Clip", "Fr", "Phase", "Reference", "Request", "Start", "document", "epsilon",
           "forced", "gaussian", "proved", "renyi", "run", "sensitivity"]  # fmt: skip
