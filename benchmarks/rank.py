"""Every point at once against one point after another: the float ranking of digits (1797 x 64) beside
rigorous brackets of a few rows, in one run.  Prints seconds a point and their ratio; goal for the
whole ranking: 60 s on 2 cores."""

import time
from fractions import Fraction
from pathlib import Path

from certaudit import session
from certaudit.rank import prove, rank

ROOT = Path(__file__).parents[1]
DELTA = Fraction(1, 10**5)

(case,) = session.load([ROOT / "specs" / "ridge-digits.yaml"])
run = case.run
start = time.perf_counter()
rows = rank(run, DELTA)
fast = time.perf_counter() - start
chosen = [rows[0], rows[len(rows) // 2], rows[-1]]
start = time.perf_counter()
proofs = [prove(run, one.row, DELTA) for one in chosen]
slow = (time.perf_counter() - start) / len(chosen)
for one, proof in zip(chosen, proofs, strict=True):
    assert proof.lower <= Fraction(one.estimate + one.error)
    assert Fraction(one.estimate - one.error) <= proof.upper
    low, high = float(proof.lower), float(proof.upper)
    print(f"row {one.row}: estimate {one.estimate:.9g} in [{low:.9g}, {high:.9g}]")
print(f"ranking of {run.n} points {fast:.1f} s, {1e3 * fast / run.n:.2f} ms a point")
print(f"rigorous {slow:.2f} s a point, {slow * run.n / fast:.0f} times a point of the ranking")
