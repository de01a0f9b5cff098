"""Small runs whose iterates are all seen, with many rows, so that one row tells little a step."""

from fractions import Fraction as F

from oracles.gaussian_law import path_law
from oracles.gaussian_pair import diagonal
from tiny_runs import tiny

from certaudit.core.proof import Proof
from certaudit.run import Phase, Request, Start
from certaudit.search.o2 import ExactPath

WAYS = ("P|Q", "Q|P")


def seen(**changes):
    """A run of few steps and many rows: three of learning, two of unlearning; all iterates are seen."""
    fields = {
        "n": 24,
        "learn": Phase(3, F(1, 2), F(1, 2048)),
        "requests": (Request((1,), Phase(2, F(1, 2), F(1, 2048))),),
        "release": "every-step",
    }
    return tiny(**{**fields, **changes})


CYCLE = ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 1, 10))
RUNS = {
    "one row": seen(),
    "line": seen(d=1, seed=4),
    "three dimensions": seen(d=3, seed=5),
    "current": seen(normalizer="current", seed=2),
    "gaussian start": seen(start=Start((F(1, 4), F(-1, 2)), F(1, 16)), seed=3),
    "cycle": seen(learn=Phase(4, F(1, 3), F(1, 2048), CYCLE), seed=6),
    "requests": seen(
        requests=(
            Request((1,), Phase(2, F(1, 2), F(1, 2048))),
            Request((3, 5), Phase(1, F(1, 4), F(1, 1024))),
        ),
        seed=7,
    ),
    "silent unlearning": seen(requests=(Request((1,), Phase(2, F(1, 2), F(0))),), seed=8),
}


def truth(run, way):
    p, q = (path_law(run, world) for world in "PQ")
    return diagonal(p, q) if way == "P|Q" else diagonal(q, p)


def good(run, way="P|Q", epsilon=F(1)):
    return ExactPath(Proof(run), way).twin.witness(way, epsilon, 5)
