"""One small certificate of each kind of proof, for tests that bend them."""

from fractions import Fraction

import numpy as np
from certaudit.check.checker import RULES
from certaudit.check.refusal import limited
from certaudit.check.run import read_data, read_run
from certaudit.check.steps import Context
from certificate_builder import (
    batch,
    claim,
    data_of,
    document,
    eigenvectors,
    line,
    phase,
    proof,
    run,
    spell,
    spelled,
)

ETA, NOISE = Fraction(1, 2), Fraction(1, 100)


def rows(n=8, d=2, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X /= np.linalg.norm(X, axis=1)[:, None]
    return X, rng.normal(size=n) / 3


def statements(X, y, the_run, lines, requests=1):
    """What the lines state."""
    data = data_of(X, y)
    context = Context(read_run(the_run, read_data(data["X"], data["y"])).after(requests))
    found = []
    with limited():
        for entry in lines:
            found.append(RULES[entry["rule"]](context, [found[use] for use in entry["uses"]], entry["witness"]))
    return found


def contractions(X, removed, at):
    kept = [j for j in range(len(X)) if j not in removed]
    return [
        line("curvature", batch=batch(removed), vectors=eigenvectors(X, kept)),
        line("contraction", [at], step_size=spell(ETA)),
    ]


def bounded(release="final"):
    """Huber: S2, I1, I2, C5; claims of (epsilon, delta), of mu, of one step."""
    X, y = rows()
    learn, unlearn = phase(12, ETA, NOISE), phase(3, ETA, NOISE)
    the_run = run(2, learn, [([5], unlearn)], loss="huber", threshold="1/4", release=release)
    lines = [line("S2", last=None), *contractions(X, [5], 1)]
    split = [{"count": 12, "first": "1/1000", "ratio": "21/20"}, {"count": 2, "first": "1/500", "ratio": "1"}]
    lines += [line("I1", [0, 2], split=split), line("I2", [0]), line("R1", [3], order="3")]
    lines += [line("C5", [3], epsilon="1"), line("C5", [4], epsilon="1")]
    found = statements(X, y, the_run, lines)
    up = lambda x: spell(Fraction(float(x)) * (1 + Fraction(1, 10**9)))
    which, dp = (7, 4) if release == "every-step" else (6, 3)
    claims = [
        claim("epsilon-delta", [which], id="a", epsilon="1", delta=up(found[which].delta.hi)),
        claim("gaussian", [dp], id="b", mu=up(found[dp].mu.hi), delta="0"),
        claim("sensitivity", [0], id="c", step=3, sensitivity=up(found[0].shifts[0][1].hi), probability="0"),
    ]
    if release == "final":
        claims.append(claim("renyi", [5], id="d", order="3", renyi=up(found[5].r.hi)))
    return document(X, y, the_run, [proof(lines, claims)])


def exact():
    """Ridge: E1, C7b, C6, E3, E3-infinite, C6-event; tight claims on both sides."""
    X, y = rows()
    the_run = run(2, phase(12, ETA, NOISE), [([5], phase(3, ETA, NOISE))])
    law = statements(X, y, the_run, [line("E1", bases=[])])[0]
    lines = [line("E1", bases=[])]
    for direction in ("P|Q", "Q|P"):
        vectors, scales, means = stand_in(law, direction)
        top = max(max(float(Fraction(x)) if "/" in x else value(x) for x in scales), 0.01)
        middle = min(4.0, 0.5 / top)
        at = {"direction": direction, "vectors": vectors, "l": scales}
        lines += [line("C7b", [0], nu=means, **at), line("E3", [0], order="2", **at)]
        lines.append(
            line(
                "C6",
                [len(lines) - 2],
                epsilon="1/5",
                gamma="1p-20",
                line=spell(Fraction(middle)),
                width=spell(Fraction(middle) * 3 / 4),
                h="1/10",
                n=2000,
                bits=128,
            )
        )
    lines.append(line("C6-event", [0], direction="P|Q", epsilon="1/5", normal=["1", "0"], threshold="0"))
    found = statements(X, y, the_run, lines)
    worst = max(float(found[k].delta.hi) for k in (3, 6))
    best = max(float(found[k].delta.lo) for k in (3, 6))
    least = 3 if float(found[3].delta.lo) == best else 6
    renyi = max(float(found[k].r.hi) for k in (2, 5))
    claims = [
        claim("epsilon-delta", [3, 6], id="a", epsilon="1/5", delta=spell(Fraction(worst * 1.0000001))),
        claim("epsilon-delta", [least], "refuted", id="b", epsilon="1/5", delta=spell(Fraction(best * 0.999))),
        claim("renyi", [2, 5], id="c", order="2", renyi=spell(Fraction(renyi * 1.0000001))),
    ]
    return document(X, y, the_run, [proof(lines, claims)])


def value(text):
    """A number of the format as a float."""
    mantissa, _, exponent = text.partition("p")
    return float(Fraction(int(mantissa)) * Fraction(2) ** int(exponent or 0))


def stand_in(law, direction):
    first, second = law.pair(direction)
    middle = lambda m: np.array([[float(x.lo) for x in m.entries(row)] for row in range(m.height)])
    S1, S2 = middle(first.covariance), middle(second.covariance)
    L = np.linalg.inv(np.linalg.cholesky(S2))
    values, U = np.linalg.eigh(L @ S1 @ L.T)
    V = L.T @ U
    return spelled(V), spelled(values - 1), spelled(V.T @ (middle(first.mean) - middle(second.mean))[0])


def likely():
    """Ridge: residual laws, S3, I1, R4, R2, C3, exceedance; two requests."""
    X, y = rows()
    requests = [([5], phase(3, ETA, NOISE)), ([2], phase(2, ETA, NOISE))]
    the_run = run(2, phase(6, ETA, NOISE), requests)
    lines = [*contractions(X, [], 0), *contractions(X, [5], 2)]
    lines += [line("residual-law", [1, 3], world="P"), line("residual-law", [3], world="Q")]
    zs = [["6"]] * 6
    lines += [line("S3", [4], quantiles=zs), line("S3", [5], quantiles=zs)]
    split = [{"count": 1, "first": "0", "ratio": "1"}] * 5 + [{"count": 1, "first": "1/100", "ratio": "1"}] * 3
    lines[4] = line("residual-law", [1], world="P")
    lines += [line("I1", [6, 3], split=split), line("I1", [7, 1, 3], split=split)]
    lines += [line("R4", [4], order="3/2", exponents=["4"] * 5), line("R2", [10, 3])]
    lines.append(line("C3", [11], epsilon="8", log_inside="9", log_outside="-1"))
    lines.append(line("exceedance", [4], step=4, sensitivity="1/10"))
    lines.append(line("exceedance", [5], step=4, sensitivity="1/10"))
    found = statements(X, y, the_run, lines, 1)
    mu = max(float(found[k].mu.hi) for k in (8, 9)) * 1.000001
    slack = max(float(found[k].delta.hi) for k in (8, 9)) * 1.000001
    chance = max(float(found[k].probability.hi) for k in (13, 14)) * 1.000001
    claims = [
        claim("gaussian", [8, 9], id="a", mu=spell(Fraction(mu)), delta=spell(Fraction(slack)), after=1),
        claim(
            "epsilon-delta",
            [12],
            id="b",
            epsilon="8",
            delta=spell(min(Fraction(1), Fraction(float(found[12].delta.hi) * 1.000001))),
            directions=["P|Q"],
            after=1,
        ),
        claim(
            "sensitivity",
            [13, 14],
            id="c",
            step=4,
            sensitivity="1/10",
            probability=spell(min(Fraction(1), Fraction(chance))),
            after=1,
        ),
    ]
    return document(X, y, the_run, [proof(lines, claims)])


ALL = {"bounded": bounded, "exact": exact, "likely": likely}
