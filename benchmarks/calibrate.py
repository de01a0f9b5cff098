"""What per-instance calibration saves on real data: the least unlearning noise provable for rows of
diabetes by the per-instance bound of Benarroch et al. (S3 + I1, repaired) and by the exact tier,
beside one noise that serves every row."""

from fractions import Fraction
from pathlib import Path

from certaudit import session
from certaudit.calibrate import calibrate
from certaudit.rank import rank
from certaudit.report.calibrate import lines

ROOT = Path(__file__).parents[1]
EPSILON, DELTA = Fraction(1, 10), Fraction(1, 10**5)

(case,) = session.load([ROOT / "specs" / "ridge-diabetes.yaml"])
run = case.run
ranked = [one.row for one in rank(run, DELTA)]
deciles = [ranked[k * (run.n - 1) // 9] for k in range(10)]
rows = calibrate(run, deciles, EPSILON, DELTA, "noise")
print("rows from the one that shows most to the one that shows least, by tenths of the data")
for line in lines(rows, EPSILON, DELTA, "noise"):
    print(line)
worst = max(one.least["S3/S4 + I1"] for one in rows)
own = [one.least["S3/S4 + I1"] for one in rows]
exact = [one.least["exact tier"] for one in rows]
print()
print(f"one noise for these rows, S3 + I1:          {float(worst):.4g}")
print(f"each its own, S3 + I1, mean:                {float(sum(own) / len(own)):.4g}")
print(f"each its own, exact tier, mean:             {float(sum(exact) / len(exact)):.4g}")
