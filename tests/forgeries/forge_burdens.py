"""Files that ask for as much work as the limits allow.  As a program: judges one, prints the peak."""

import resource
import sys

from forge_judges import by_core, resealed

ETA, NOISE = "1/2", "1"
CLAIM = {
    "claim": {
        "kind": "epsilon-delta",
        "id": "none",
        "epsilon": "1",
        "delta": "1/2",
        "directions": ["P|Q", "Q|P"],
        "theorem": None,
        "after": None,
    },
    "verdict": "proved",
    "lines": [0],
}


def phase(steps, batches=()):
    return {"steps": steps, "step_size": ETA, "noise_variance": NOISE, "batches": list(batches)}


def run(learn, requests, loss="ridge", d=1):
    return {
        "loss": loss,
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
        "threshold": "1" if loss == "huber" else None,
        "classes": 1,
        "network": None,
        "assumptions": [],
    }


def line(rule, uses=(), **witness):
    return {"rule": rule, "uses": list(uses), "witness": witness}


def file(the_run, lines, rows=3, X=None, requests=1):
    X = X or [["1"]] * rows
    return resealed(
        {
            "format": "certaudit certificate 1",
            "spec": {"name": "burden", "sha256": "0" * 64},
            "run": the_run,
            "data": {"rows": len(X), "columns": len(X[0]), "X": X, "y": ["0"] * len(X)},
            "proofs": [{"requests": requests, "lines": lines, "claims": [CLAIM]}],
        }
    )


def contraction(removed=()):
    batch = {"members": None, "removed": list(removed)}
    vectors = [["1"]]
    return [line("curvature", batch=batch, vectors=vectors), line("contraction", [0], step_size=ETA)]


def many_shifts(rule="S1"):
    """Lines that each list what every step of a cycle shifts by."""
    the_run = run(phase(19_999, [[0, 1], [1, 2]]), [([2], phase(1))], "huber")
    return file(the_run, [line(rule, last=None)] * 15_000)


def many_drifts():
    return many_shifts("S1-drift")


def many_exceedances():
    """Lines that each unfold all the steps that remove a row."""
    the_run = run(phase(9_999), [([2], phase(1))])
    asked = line("exceedance", [2], step=9_999, sensitivity="1")
    return file(the_run, [*contraction(), line("residual-law", [1], world="P"), *[asked] * 5000])


def many_residuals():
    """Long laws in one dimension, over and over."""
    the_run = run(phase(9_999), [([2], phase(1))])
    return file(the_run, [*contraction(), *[line("residual-law", [1], world="P")] * 100])


def many_conversions():
    """Thousands of values of the normal distribution."""
    the_run = run(phase(1), [([2], phase(1))], "huber")
    sticks = [line("C5", [1], epsilon=str(k % 50)) for k in range(19_990)]
    return file(the_run, [line("S1", last=None), line("I2", [0]), *sticks])


def batches_alike():
    """Two long batches in turn that differ in the last row alone."""
    n = 60_000
    most = list(range(n - 2))
    the_run = run(phase(19_999, [[*most, n - 2], [*most, n - 1]]), [([n - 1], phase(1))], "huber")
    return file(the_run, [line("S1", last=None)] * 15_000, n)


def many_batches():
    """A cycle of hundreds of thousands of batches of one row."""
    the_run = run(phase(400_000, [[k % 2] for k in range(400_000)]), [([2], phase(1))])
    return file(the_run, [line("E1", bases=[])])


def many_curvatures():
    """The rows of a large batch, line after line."""
    batches = [{"members": None, "removed": [k]} for k in range(5000)]
    lines = [line("curvature", batch=batch, vectors=[["1"]]) for batch in batches]
    return file(run(phase(1), [([2], phase(1))]), lines, 20_000)


def many_laws():
    """One law after another."""
    return file(run(phase(1), [([2], phase(1))]), [line("E1", bases=[])] * 15_000)


def many_splits():
    """Splits of 10^15 steps."""
    the_run = run(phase(10**15), [([2], phase(10**15))], "huber")
    steps = ((10**15, "0"), (10**15 - 1, "0"))
    split = [{"count": count, "first": first, "ratio": "1"} for count, first in steps]
    lines = [*contraction([2]), line("S1", last=None)]
    return file(the_run, [*lines, *[line("I1", [2, 1], split=split)] * 15_000])


def many_requests():
    """Each of a thousand requests has all the rows removed before it."""
    n = 20_000
    requests = [(list(range(k, n, 1_001)), phase(1)) for k in range(1_000)]
    lines = [line("E1", bases=[])] * 1_000
    return file(run(phase(1), requests), lines, n, requests=1_000)


def long_fractions():
    """The norm of a row of fractions without a common denominator."""
    row = [f"1/{'9' * 4200}{2 * k + 1:05}" for k in range(1500)]
    return file(run(phase(1), [([1], phase(1))], "huber", 1500), [line("S2", last=None)], X=[row, row])


def long_unlearning(steps=10**9):
    """R4 over steps that remove nothing."""
    the_run = {**run(phase(1), [([2], phase(steps))]), "release": "every-step"}
    laws = [*contraction(), line("residual-law", [1], world="P")]
    return file(the_run, [*laws, line("R4", [2], order="2", exponents=[])])


def long_learning():
    """Every rule over a phase of 10^9 steps."""
    return file(run(phase(10**9), [([2], phase(1))]), [line("E1", bases=[])])


BURDENS = {
    one.__name__: one
    for one in (
        many_shifts,
        many_drifts,
        many_exceedances,
        many_residuals,
        many_conversions,
        batches_alike,
        many_batches,
        many_curvatures,
        many_laws,
        many_splits,
        many_requests,
        long_fractions,
        long_unlearning,
        long_learning,
    )
}


def main(name, checker):
    from certaudit.check.checker import examined

    raw = BURDENS[name]()
    if checker == "check":
        examined(raw)
    else:
        by_core(raw)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
