"""The exact laws of a ridge run by powers of eigenvalues, against products of step maps, in one run.

    PYTHONPATH=. python benchmarks/exact_law.py

Both are rule E1: with a base for each Hessian, and without.  The search for the bases is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from certaudit.core.proof import Proof
from certaudit.core.rules.e1 import Witness
from certaudit.run import Phase, Reference, Request, Run, Start
from certaudit.search import e1

DIMENSIONS = (10, 64, 128)
REPEATS = 3


def ridge(d: int) -> Run:
    """200 steps and 20 of unlearning on 4 d unit rows."""
    rng = np.random.default_rng(d)
    X = rng.normal(size=(4 * d, d))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    noise = Fraction(1, 2500)
    learn, unlearn = Phase(200, Fraction(5, 2), noise), Phase(20, Fraction(5, 2), noise)
    return Run(
        X=X,
        y=rng.normal(size=4 * d),
        loss="ridge",
        l2=Fraction(1, 20),
        normalizer="fixed",
        learn=learn,
        requests=(Request((7,), unlearn),),
        start=Start((Fraction(0),) * d, Fraction(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", 200),
        release="final",
    )


def fastest(work: Callable[[], object]) -> float:
    """Least CPU seconds of a few tries."""
    times = []
    for _ in range(REPEATS):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def main() -> None:
    """Print seconds and ratio for each dimension."""
    print("   d   products   powers (search + rule)   ratio")
    for d in DIMENSIONS:
        run = ridge(d)
        products = fastest(lambda run=run: Proof(run).apply("E1", (), Witness(())))
        search = fastest(lambda run=run: e1.witness(run))
        bases = e1.witness(run)
        rule = fastest(lambda run=run, bases=bases: Proof(run).apply("E1", (), bases))
        print(
            f"{d:4d} {products:9.2f}s {search:8.2f}s + {rule:5.2f}s {products / (search + rule):13.1f}"
        )


if __name__ == "__main__":
    main()
