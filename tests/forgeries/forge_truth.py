"""What is true of a ridge run: floats and quadrature, from the file alone.

Independent of the package: the laws of the last iterate, or of all of them, go step by step.
"""

from math import erfc, exp, inf, isfinite, log, sqrt

import numpy as np
from forge_mutants import value_of
from scipy.special import log_ndtr, ndtr

MOST_STEPS = 4000
NEAR = 1e-7
FARTHEST = 300.0
LONGEST = 40


class Open(Exception):
    """No truth is known here."""


def number(text):
    return float(value_of(text))


def laws(content, requests):
    """(mean, covariance) of what is released in P and in Q."""
    if content["run"]["release"] == "final":
        return [_final(content, requests, world) for world in "PQ"]
    if content["run"]["release"] == "before-and-after":
        return [_pair(content, requests, world) for world in "PQ"]
    p, q = (list(steps(content, requests, world)) for world in "PQ")
    if len(p) != len(q):
        raise Open
    while p and _same(p[-1], q[-1]):
        p, q = p[:-1], q[:-1]
    return [_path(content, taken) for taken in (p, q)]


def _pair(content, requests, world):
    """The learned model and the final one as one vector."""
    run = content["run"]
    learned = run["learn" if world == "P" else "reference"]["steps"]
    mean, covariance = _start(run)
    first = (mean, covariance, covariance)
    across = covariance
    for done, (a, b, variance, *_) in enumerate(steps(content, requests, world), start=1):
        mean, across = a @ mean + b, a @ across
        covariance = a @ covariance @ a + variance * np.eye(len(mean))
        if done == learned:
            first, across = (mean, covariance), covariance
    output = run["reference"]["output_variance"] if world == "Q" else None
    noise = number(run["output_variance"] if output is None else output)
    covariance = covariance + noise * np.eye(len(mean))
    whole = np.block([[first[1], across.T], [across, covariance]])
    return _finite(np.concatenate([first[0], mean]), whole)


def _same(one, two):
    """Whether two steps are one map with one noise; at the end they tell nothing."""
    return one[2] == two[2] and all(np.array_equal(x, y) for x, y in zip(one[:2], two[:2], strict=True))


def _path(content, taken):
    """Start and iterates as one vector."""
    mean, covariance = _start(content["run"])
    d = len(mean)
    for a, b, variance, *_ in taken:
        if len(mean) > LONGEST:
            raise Open
        across = covariance[:, -d:] @ a
        last = a @ covariance[-d:, -d:] @ a + variance * np.eye(d)
        mean = np.concatenate([mean, a @ mean[-d:] + b])
        covariance = np.block([[covariance, across], [across.T, last]])
    return _finite(mean, covariance)


def _program(content, requests, world):
    run = content["run"]
    served = run["requests"][:requests]
    gone = {row for one in served for row in one["rows"]}
    learn, reference = run["learn"], run["reference"]
    if world == "P":
        yield learn, set()
        for k, one in enumerate(served):
            yield one["unlearn"], {row for other in served[: k + 1] for row in other["rows"]}
        return
    yield {**learn, "steps": reference["steps"]}, gone
    if reference["kind"] == "unlearn-retrained":
        noise = reference["unlearn_variance"]
        for one in served:
            phase = one["unlearn"]
            yield (phase if noise is None else {**phase, "noise_variance": noise}), gone


def steps(content, requests, world):
    """(A, b, variance, eta, N, rows) of every step of a world."""
    X = np.array([[number(x) for x in row] for row in content["data"]["X"]])
    y = np.array([number(x) for x in content["data"]["y"]])
    total = 0
    for phase, gone in _program(content, requests, world):
        total += phase["steps"]
        if total > MOST_STEPS:
            raise Open
        batches = phase["batches"] or [list(range(len(X)))]
        maps = [_map(content, X, y, phase, batch, gone) for batch in batches]
        yield from (maps[t % len(maps)] for t in range(phase["steps"]))


def _map(content, X, y, phase, batch, gone):
    run = content["run"]
    rows = [j for j in batch if j not in gone]
    count = {"fixed": len(batch), "current": max(len(rows), 1), "sum": 1}[run["normalizer"]]
    eta = number(phase["step_size"])
    hessian = X[rows].T @ X[rows] / count + number(run["l2"]) * np.eye(X.shape[1])
    drift = eta * X[rows].T @ y[rows] / count
    return np.eye(X.shape[1]) - eta * hessian, drift, number(phase["noise_variance"]), eta, count, rows


def _final(content, requests, world):
    run = content["run"]
    mean, covariance = _start(run)
    for a, b, variance, *_ in steps(content, requests, world):
        mean, covariance = a @ mean + b, a @ covariance @ a + variance * np.eye(len(mean))
    output = run["reference"]["output_variance"] if world == "Q" else None
    noise = number(run["output_variance"] if output is None else output)
    return _finite(mean, covariance + noise * np.eye(len(mean)))


def _finite(mean, covariance):
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise Open
    return mean, covariance


def _start(run):
    mean = np.array([number(x) for x in run["start"]["mean"]])
    return mean, number(run["start"]["variance"]) * np.eye(len(mean))


def _diagonal(first, second):
    """nu and 1 + l of the first law where the second is standard."""
    (m, s), (m2, s2) = first, second
    if m.shape != m2.shape:
        raise Open
    values, vectors = np.linalg.eigh(s2)
    if not (values.min() > 1e-12 and np.linalg.eigvalsh(s).min() > 1e-12):
        raise Open
    white = vectors / np.sqrt(values)
    scales, turn = np.linalg.eigh(white.T @ s @ white)
    return (white @ turn).T @ (m - m2), scales


def delta(pair, epsilon):
    """delta(epsilon) of the first law given the second: closed on a line, else a Laplace integral of the
    moments M(s) of the likelihood ratio, s = c + i b sinh x."""
    nu, scales = _diagonal(*pair)
    if len(nu) == 1:
        return max(_line(nu[0], scales[0], epsilon), 0.0, 1 - exp(min(epsilon, 0)))
    excess, v = scales - 1, nu**2
    edge = min(1 / max(excess.max(), 1e-9), 1e4)
    kappa = epsilon + np.log(scales).sum() / 2

    def exponent(s):
        factors = 1 - np.multiply.outer(s, excess)
        pulls = (v / factors).sum(axis=-1) * s * (s + 1) / 2
        return pulls - np.log(factors).sum(axis=-1) / 2 - s * kappa - np.log(s) - np.log(s + 1)

    shares = np.linspace(0.002, 0.998, 999)
    lines = np.unique(np.concatenate([edge * shares, edge * 10.0 ** (-8 * shares)]))
    c = lines[np.argmin(exponent(lines).real)]
    x = np.linspace(-25, 25, 20_001)
    width = min(c, edge - c) / 2
    s = c + 1j * width * np.sinh(x)
    with np.errstate(all="ignore"):
        values = np.exp(exponent(s)).real * width * np.cosh(x)
    value = float(np.nansum(values) * (x[1] - x[0]) / (2 * np.pi))
    return max(value, 0.0, 1 - exp(min(epsilon, 0)))


def _line(nu, scale, epsilon):
    """P(S) - e^epsilon Q(S) where log p/q > epsilon; P = N(nu, scale), Q = N(0, 1)."""
    a, s = 1 - 1 / scale, sqrt(scale)
    if abs(a) < 1e-13:
        return gaussian(abs(nu), epsilon)
    inner = nu**2 / scale + a * (2 * epsilon + log(scale))
    if inner <= 0:
        return float(a > 0) * (1 - exp(epsilon))
    centre, reach = -nu / scale / a, sqrt(inner) / abs(a)
    low, high = centre - reach, centre + reach
    where = _outside if a > 0 else _between
    return where((low - nu) / s, (high - nu) / s) - exp(epsilon) * where(low, high)


def _between(low, high):
    return ndtr(high) - ndtr(low) if low < 0 else ndtr(-low) - ndtr(-high)


def _outside(low, high):
    return ndtr(low) + ndtr(-high)


def renyi(pair, order):
    """D_order, infinite where it is."""
    nu, scales = _diagonal(*pair)
    mixed = order + (1 - order) * scales
    if mixed.min() <= 0:
        return inf
    logs = np.log(mixed).sum() + (order - 1) * np.log(scales).sum()
    return float(order / 2 * (nu**2 / mixed).sum() - logs / (2 * (order - 1)))


def gaussian(mu, epsilon):
    """delta of two normal laws mu apart."""
    if mu == 0:
        return max(0.0, 1 - exp(epsilon))
    return float(ndtr(mu / 2 - epsilon / mu) - exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu)))


def exceedance(content, requests, world, step, size):
    """The probability that the step's shift is larger, for one removed row."""
    run = content["run"]
    mean, covariance = _start(run)
    own, other = (list(steps(content, requests, w)) for w in (world, "Q" if world == "P" else "P"))
    if len(own) < step or len(other) < step or run["normalizer"] == "current":
        raise Open
    for a, b, variance, *_ in own[: step - 1]:
        mean, covariance = a @ mean + b, a @ covariance @ a + variance * np.eye(len(mean))
    p, q = (own, other) if world == "P" else (other, own)
    removed = sorted(set(p[step - 1][5]) - set(q[step - 1][5]))
    if len(removed) > 1:
        raise Open
    if not removed:
        return 0.0
    x = np.array([number(one) for one in content["data"]["X"][removed[0]]])
    centre = abs(x @ mean - number(content["data"]["y"][removed[0]]))
    eta, count = p[step - 1][3:5]
    if eta * np.linalg.norm(x) == 0:
        return 0.0
    level = size * count / (eta * np.linalg.norm(x))
    spread = x @ covariance @ x
    if spread < 1e-15:
        return float(centre > level)
    return sum(erfc((level + sign * centre) / sqrt(2 * spread)) / 2 for sign in (-1, 1))


def holds(content, requests, claim):
    """Whether a claim about a ridge run is true of what is released.

    Raises Open where that is not known, or too close to call; mu is tried at some epsilons only.
    """
    run = content["run"]
    if run["loss"] != "ridge" or run["projection"] is not None or run["clip"] is not None:
        raise Open
    if claim["kind"] == "sensitivity":
        size, chance = number(claim["sensitivity"]), number(claim["probability"])
        found = [exceedance(content, requests, world, claim["step"], size) for world in "PQ"]
        return _below(max(found), chance)
    p, q = laws(content, requests)
    pairs = [(p, q) if one == "P|Q" else (q, p) for one in claim["directions"]]
    if claim["kind"] == "epsilon-delta":
        return _stick_holds(pairs, number(claim["epsilon"]), number(claim["delta"]))
    if claim["kind"] == "renyi":
        return _below(max(renyi(pair, number(claim["order"])) for pair in pairs), number(claim["renyi"]))
    return _gaussian_holds(pairs, number(claim["mu"]), number(claim["delta"]))


def _stick_holds(pairs, epsilon, claimed):
    if _below(max(delta(pair, min(epsilon, FARTHEST)) for pair in pairs), claimed):
        return True
    if epsilon > FARTHEST:
        raise Open
    return False


def _gaussian_holds(pairs, mu, slack):
    levels = np.linspace(-2 if len(pairs) == 1 else 0, 4, 13)
    if slack == 0 and any(abs(_diagonal(*pair)[1] - 1).max() > 1e-9 for pair in pairs):
        return False
    excess = [delta(pair, e) - gaussian(mu, e) - slack for pair in pairs for e in levels]
    return _below(max(excess) + 1, 1.0)


def _below(value, claimed):
    if not isfinite(value):
        return False
    if abs(value - claimed) < NEAR * max(abs(value), 1e-9):
        raise Open
    return value <= claimed
