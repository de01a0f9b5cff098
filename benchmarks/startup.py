"""Verify's whole time against importing the libraries it stands on, in one run.

Prints medians of five interleaved runs and the ratio; the goal is twice the imports plus a second.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERIFY = [sys.executable, str(ROOT / "cli.py"), "verify", str(ROOT / "specs/ridge-diabetes.yaml")]
IMPORTS = [sys.executable, "-c", "import numpy, sympy, flint, pydantic"]


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


pairs = [(seconds(VERIFY), seconds(IMPORTS)) for _ in range(5)]
verify, imports = (statistics.median(column) for column in zip(*pairs, strict=True))
print(f"verify {verify:.2f} s, imports {imports:.2f} s, goal {2 * imports + 1:.2f} s")
print(f"verify / goal = {verify / (2 * imports + 1):.2f}")
