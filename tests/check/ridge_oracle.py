"""The exact laws of a small ridge certificate in floats, from the file alone: what claims are worth."""

import math
from fractions import Fraction

import numpy as np
from scipy import stats


def number(text):
    mantissa, p, exponent = text.partition("p")
    return float(Fraction(mantissa) * Fraction(2) ** int(exponent)) if p else float(Fraction(text))


def step_list(value, world, requests):
    """(rows left, divisor, step size, noise variance) of each step."""
    run, n = value["run"], len(value["data"]["X"])
    served = run["requests"][:requests]
    gone = {row for request in served for row in request["rows"]}
    phases = [(run["learn"], set() if world == "P" else gone)]
    so_far = set()
    for request in served:
        so_far |= set(request["rows"])
        phases.append((request["unlearn"], set(so_far) if world == "P" else gone))
    found = []
    for index, (phase, removed) in enumerate(phases):
        steps, noise = phase["steps"], number(phase["noise_variance"])
        if world == "Q":
            if index == 0:
                steps = run["reference"]["steps"]
            elif run["reference"]["kind"] == "retrained":
                break
            elif run["reference"]["unlearn_variance"] is not None:
                noise = number(run["reference"]["unlearn_variance"])
        batches = phase["batches"] or [list(range(n))]
        for t in range(steps):
            members = batches[t % len(batches)]
            rows = [j for j in members if j not in removed]
            divisor = {"fixed": len(members), "current": max(len(rows), 1), "sum": 1}[run["normalizer"]]
            found.append((rows, divisor, number(phase["step_size"]), noise))
    return found


def law(value, world, requests):
    """Mean and covariance before each step, and at the end with the output's noise."""
    run = value["run"]
    X = np.array([[number(x) for x in row] for row in value["data"]["X"]])
    y = np.array([number(x) for x in value["data"]["y"]])
    mean = np.array([number(x) for x in run["start"]["mean"]])
    covariance = number(run["start"]["variance"]) * np.eye(len(mean))
    path = []
    for rows, divisor, eta, noise in step_list(value, world, requests):
        path.append((mean, covariance))
        A = np.eye(len(mean)) * (1 - eta * number(run["l2"])) - eta / divisor * X[rows].T @ X[rows]
        mean = A @ mean + eta / divisor * X[rows].T @ y[rows]
        covariance = A @ covariance @ A.T + noise * np.eye(len(mean))
    output = run["output_variance"]
    if world == "Q" and run["reference"]["output_variance"] is not None:
        output = run["reference"]["output_variance"]
    return mean, covariance + number(output) * np.eye(len(mean)), path


def pair(value, direction, requests):
    """l and nu of the whitened pair."""
    worlds = direction.split("|")
    (m1, S1, _), (m2, S2, _) = (law(value, world, requests) for world in worlds)
    L = np.linalg.inv(np.linalg.cholesky(S2))
    values, U = np.linalg.eigh(L @ S1 @ L.T)
    return values - 1, U.T @ L @ (m1 - m2)


def delta(value, direction, epsilon, requests):
    """By a fine trapezoid on a vertical line."""
    l, nu = pair(value, direction, requests)
    top = max(max(l), 1e-9)
    lines = np.linspace(0.02, 0.98, 49) / max(top, 0.02)

    def log_m(s):
        s = np.asarray(s, complex)[..., None]
        inner = s * (s + 1) * nu**2 / (2 * (1 - l * s)) - np.log(1 - l * s) / 2 - s * np.log1p(l) / 2
        return inner.sum(-1)

    scores = [(log_m(c) - c * epsilon - np.log(c * (c + 1))).real for c in lines]
    c = lines[int(np.argmin(scores))]
    h = c / 12
    s = c + 1j * h * np.arange(200_000)
    terms = (np.exp(log_m(s) - s * epsilon) / (s * (s + 1))).real
    return h / math.pi * (terms[0] / 2 + terms[1:].sum())


def renyi(value, direction, order, requests):
    l, nu = pair(value, direction, requests)
    s = order - 1
    if (1 - s * l <= 0).any():
        return math.inf
    return order / 2 * (nu**2 / (1 - s * l)).sum() - (np.log(1 - s * l) + s * np.log1p(l)).sum() / (
        2 * s
    )


def gaussian_delta(mu, epsilon):
    if mu == 0:
        return 0.0
    return stats.norm.sf(epsilon / mu - mu / 2) - math.exp(epsilon) * stats.norm.sf(
        epsilon / mu + mu / 2
    )


def exceeds(value, world, step, size, requests):
    """Probability that one step shifts by more than that, one row removed."""
    run = value["run"]
    sides = [step_list(value, w, requests)[step - 1] for w in ("P", "Q")]
    gone = sorted(set(sides[0][0]) - set(sides[1][0]))
    if not gone:
        return 0.0
    X = np.array([[number(x) for x in row] for row in value["data"]["X"]])
    y = np.array([number(x) for x in value["data"]["y"]])
    mean, covariance, path = law(value, world, requests)
    mean, covariance = path[step - 1]
    (row,) = gone
    level = size * sides[0][1] / (sides[0][2] * np.linalg.norm(X[row])) if sides[0][2] else math.inf
    m, s = X[row] @ mean - y[row], math.sqrt(X[row] @ covariance @ X[row])
    if s == 0:
        return float(abs(m) > level)
    assert run["normalizer"] != "current"
    return stats.norm.sf((level - m) / s) + stats.norm.cdf((-level - m) / s)


def is_true(value, entry, requests, slack=1e-6):
    """Whether a claim's stated verdict is right, up to the oracle's own error."""
    claim, proved = entry["claim"], entry["verdict"] == "proved"
    kind = claim["kind"]
    if kind == "sensitivity":
        found = max(
            exceeds(value, w, claim["step"], number(claim["sensitivity"]), requests) for w in ("P", "Q")
        )
        excess = [found - number(claim["probability"])]
    elif kind == "renyi":
        found = [renyi(value, d, number(claim["order"]), requests) for d in claim["directions"]]
        excess = [x - number(claim["renyi"]) for x in found]
    elif kind == "epsilon-delta":
        found = [delta(value, d, number(claim["epsilon"]), requests) for d in claim["directions"]]
        excess = [x - number(claim["delta"]) for x in found]
    else:
        at = (0.0, 0.3, 1.0, 2.0)
        curve = [gaussian_delta(number(claim["mu"]), e) + number(claim["delta"]) for e in at]
        excess = [
            delta(value, d, e, requests) - top
            for d in claim["directions"]
            for e, top in zip(at, curve, strict=True)
        ]
    return max(excess) <= slack if proved else max(excess) >= -slack
