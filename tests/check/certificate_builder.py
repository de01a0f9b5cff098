"""Small certificates for tests: written from docs/certificate-format.md alone."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction

import numpy as np


def spell(x):
    """A number in the shortest spelling."""
    if isinstance(x, str):
        return x
    x = Fraction(x) if not isinstance(x, np.floating) else Fraction(float(x))
    if x.denominator == 1:
        return str(x.numerator)
    places = x.denominator.bit_length() - 1
    if x.denominator == 1 << places:
        return f"{x.numerator}p-{places}"
    return f"{x.numerator}/{x.denominator}"


def spelled(value):
    """Lists of numbers, spelled."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return [spelled(x) for x in value]
    return spell(value)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def sha(value):
    return hashlib.sha256(canonical(value)).hexdigest()


def phase(steps, size, noise, batches=()):
    return {
        "steps": steps,
        "step_size": spell(size),
        "noise_variance": spell(noise),
        "batches": [list(map(int, rows)) for rows in batches],
    }


def run(d, learn, requests, **changes):
    """A ridge run from zeros, changed as said."""
    found = {
        "loss": "ridge",
        "l2": "1/20",
        "normalizer": "fixed",
        "learn": learn,
        "requests": [{"rows": rows, "unlearn": unlearn} for rows, unlearn in requests],
        "start": {"mean": ["0"] * d, "variance": "0"},
        "projection": None,
        "clip": None,
        "reference": {
            "kind": "unlearn-retrained",
            "steps": learn["steps"],
            "unlearn_variance": None,
            "output_variance": None,
        },
        "release": "final",
        "output_variance": "0",
        "threshold": None,
        "classes": 1,
        "network": None,
        "assumptions": [],
    }
    found.update(changes)
    return found


def line(rule, uses=(), **witness):
    return {"rule": rule, "uses": list(uses), "witness": witness}


def claim(kind, lines, verdict="proved", **fields):
    found = {"kind": kind, "id": "issued", "theorem": None, "after": None}
    if kind != "sensitivity":
        found["directions"] = ["P|Q", "Q|P"]
    found.update(fields)
    return {"claim": found, "verdict": verdict, "lines": list(lines)}


def proof(lines, claims, requests=1):
    return {"requests": requests, "lines": lines, "claims": claims}


def seal(value):
    """With its digest, as bytes."""
    value = {key: inner for key, inner in value.items() if key != "sha256"}
    return json.dumps({**value, "sha256": sha(value)}).encode()


def data_of(X, y):
    return {"X": spelled(X), "y": spelled(y)}


def document(X, y, the_run, proofs, include=True):
    data = data_of(X, y)
    entry = {"rows": len(X), "columns": len(X[0]), "sha256": sha(data)}
    return {
        "format": "certaudit certificate 1",
        "spec": {"name": "test", "sha256": "0" * 64},
        "run": the_run,
        "data": {**entry, **data} if include else entry,
        "proofs": proofs,
    }


def certificate(X, y, the_run, lines, claims, requests=1):
    return seal(document(X, y, the_run, [proof(lines, claims, requests)]))


def batch(removed=(), members=None):
    return {"members": None if members is None else list(members), "removed": list(removed)}


def eigenvectors(X, rows=None):
    """Float eigenvectors of X^T X as columns, spelled."""
    X = np.asarray(X, float) if rows is None else np.asarray(X, float)[list(rows)]
    return spelled(np.linalg.eigh(X.T @ X)[1])


def curvature_lines(X, the_run, batches, start=0):
    """Curvature and contraction of each (batch, rows, step size), two lines each."""
    lines = []
    for entry, rows, size in batches:
        at = start + len(lines)
        lines.append(line("curvature", batch=entry, vectors=eigenvectors(X, rows)))
        lines.append(line("contraction", [at], step_size=spell(size)))
    return lines
