"""Small runs with claims proved and refuted, as certificates."""

import copy
import json
from fractions import Fraction
from functools import cache

import numpy as np

from certaudit.certificate.data import Data
from certaudit.certificate.read import loads, sealed
from certaudit.certificate.record import Decided, Spec
from certaudit.certificate.write import document
from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search.evidence import Evidence
from certaudit.search.verify import verify

SPEC = Spec("sample", "ab" * 32)
TARGET = 0.7390851332151607
LEARN = Phase(6, Fraction(1, 2), Fraction(1, 100))
UNLEARN = Phase(2, Fraction(1, 2), Fraction(1, 100))


def sample_run(**changed):
    """Ridge on 6 rows of 2 numbers, row 2 (with TARGET) removed, then row 4."""
    X = np.array([[1, 0.5], [0.25, -1], [0.6, 0.8], [-0.5, 0.125], [0.75, 0.3], [0.1, 0.9]])
    y = np.array([0.5, -1, TARGET, 0.25, 0.625, -0.3])
    run = Run(
        X=X,
        y=y,
        loss="ridge",
        l2=Fraction(1, 20),
        normalizer="fixed",
        learn=LEARN,
        requests=(Request((2,), UNLEARN), Request((4,), UNLEARN)),
        start=Start((Fraction(0), Fraction(1, 8)), Fraction(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 6),
        release="final",
        assumptions=("a note",),
    )
    return Run(**{**vars(run), **changed})


CLAIMS = (
    EpsilonDelta("proved", Fraction(20), Fraction(1, 10**5)),
    EpsilonDelta("refuted", Fraction(1, 10**4), Fraction(1, 10**9)),
    EpsilonDelta("early", Fraction(20), Fraction(1, 10**5), after=1),
    RenyiClaim("renyi", Fraction(2), Fraction(50), ("P|Q",), "chien-2024a"),
    GaussianClaim("gaussian", Fraction(30), Fraction(1, 10**6)),
    SensitivityClaim("sensitivity", 2, Fraction(10), Fraction(1, 100), after=1),
)


def decided(run, claims=CLAIMS):
    return [
        Decided(one.claim, one.status.value, one.decided_by, one.proof)
        for one in verify(Evidence(run), claims)
        if one.decided_by
    ]


@cache
def _sample():
    run = sample_run()
    return run, decided(run)


def sample():
    """(run, content of its certificate with data)"""
    run, _ = _sample()
    return run, copy.deepcopy(_content())


@cache
def _content():
    return document(*_sample(), SPEC, include_data=True)


def bare():
    """Content without data."""
    return document(*_sample(), SPEC)


def data_of(run):
    return Data(run.X, run.y)


def resealed(content):
    """The bytes of a content with its digests made right."""
    content = {**content, "sha256": ""}
    content["sha256"] = sealed(content)
    return json.dumps(content).encode()


def read(content):
    return loads(resealed(content))
