"""Two Gaussian laws that a test states outright: an axiom of the test, no rule of the package."""

from dataclasses import dataclass
from fractions import Fraction as F
from unittest.mock import patch

import numpy as np

from certaudit.core.balls import ball
from certaudit.core.proof import Proof
from certaudit.core.rule import Conclusion, Rule
from certaudit.core.rules import RULES
from certaudit.core.statement import Law
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search.exact import ExactPair


@dataclass(frozen=True)
class Given:
    """The law to be stated."""

    law: Law


AXIOM = Rule(
    "given", "Laws stated outright", "the test", Given, lambda run, uses, at: Conclusion(at.law)
)


def any_run(d):
    """A run of ``d`` dimensions, for what asks the laws alone."""
    phase = Phase(1, F(1), F(1))
    return Run(
        X=np.ones((2, d)),
        y=np.ones(2),
        loss="ridge",
        l2=F(1),
        normalizer="fixed",
        learn=phase,
        requests=(Request((0,), phase),),
        start=Start((F(0),) * d, F(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 1),
        release="final",
    )


def given_law(mean_p, covariance_p, mean_q, covariance_q):
    """(proof, line): a proof whose line states these laws, exactly."""
    columns = [tuple(map(ball, mean)) for mean in (mean_p, mean_q)]
    tables = [tuple(tuple(map(ball, row)) for row in table) for table in (covariance_p, covariance_q)]
    proof = Proof(any_run(len(mean_p)))
    with patch.dict(RULES, {AXIOM.id: AXIOM}):
        law = Law(columns[0], tables[0], columns[1], tables[1])
        return proof, proof.apply(AXIOM.id, (), Given(law))


def given_pair(mean_p, covariance_p, mean_q, covariance_q, direction="P|Q"):
    """The exact pair of these laws in one direction."""
    return ExactPair(*given_law(mean_p, covariance_p, mean_q, covariance_q), direction)
