"""Small runs, the lines a law rests on, and golden numbers."""

import json
from fractions import Fraction as F
from pathlib import Path

from flint import arb
from tiny_runs import tiny as tiny

from certaudit.core import schedule
from certaudit.core.balls import ball, precision
from certaudit.core.proof import Proof
from certaudit.core.rules import RULES, contraction
from certaudit.core.statement import ResidualLaw
from certaudit.search import curvature

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "golden.json").read_text())


def agrees(found, digits):
    """Whether ``found`` certainly equals the decimal ``digits`` up to one unit of its last digit."""
    significant = len(digits.split("e")[0].replace("-", "").replace(".", "").lstrip("0"))
    reference = arb(digits)
    return bool(abs(found - reference) <= abs(reference) * arb(10) ** (1 - significant))


def holds(found, number):
    """Whether the ball holds the exact rational."""
    with precision(6000):
        return found.contains(ball(number))


def lines(proof, world):
    """Contractions of every map of a world."""
    found, curved = {}, {}
    for one in schedule.steps("test", proof.run, world):
        if one.batch not in curved:
            witness = curvature.witness(proof.run, one.batch)
            curved[one.batch] = proof.apply("curvature", (), witness)
        if (one.batch, one.step_size) not in found:
            witness = contraction.Witness(one.step_size)
            found[one.batch, one.step_size] = proof.apply("contraction", (curved[one.batch],), witness)
    return tuple(found.values())


def law(run, world="P", rule=None):
    """(proof, line) of the residual or margin law of a world."""
    rule = rule or ("residual-law" if run.loss == "ridge" else "margin-law")
    proof = Proof(run)
    return proof, proof.apply(rule, lines(proof, world), RULES[rule].witness(world))


def residuals(run, means, variances, world="P"):
    """A residual law with these numbers, of a run that has such a shape."""
    table = [tuple(tuple(map(arb, row)) for row in rows) for rows in (means, variances)]
    return ResidualLaw(world, *table)


def exact_residuals(run, world):
    """Mean and variance of every residual by exact rational recursion of the law itself."""
    X = [[F(v) for v in row] for row in run.X.tolist()]
    y = [F(v) for v in run.y.tolist()]
    d = run.d
    m = list(run.start.mean)
    S = [[run.start.variance * (i == j) for j in range(d)] for i in range(d)]
    means, variances = [], []
    for pair in schedule.active("test", run):
        batch = pair.batch(world)
        rows, count, eta = run.rows(batch), run.count(batch), pair.step_size
        gram = [[sum((X[j][a] * X[j][b] for j in rows), F(0)) for b in range(d)] for a in range(d)]
        A = [
            [(a == b) - eta * (gram[a][b] / count + run.l2 * (a == b)) for b in range(d)]
            for a in range(d)
        ]
        drift = [eta * sum(X[j][a] * y[j] for j in rows) / count for a in range(d)]
        for _ in range(pair.count):
            means.append([sum(X[i][a] * m[a] for a in range(d)) - y[i] for i in pair.removed(run)])
            variances.append(
                [
                    sum(X[i][a] * S[a][b] * X[i][b] for a in range(d) for b in range(d))
                    for i in pair.removed(run)
                ]
            )
            m = [sum(A[a][b] * m[b] for b in range(d)) + drift[a] for a in range(d)]
            AS = [[sum(A[a][k] * S[k][b] for k in range(d)) for b in range(d)] for a in range(d)]
            S = [
                [
                    sum(AS[a][k] * A[b][k] for k in range(d)) + pair.noise_variance * (a == b)
                    for b in range(d)
                ]
                for a in range(d)
            ]
    return means, variances
