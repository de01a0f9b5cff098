"""No file keeps a checker for more than 10 seconds, or takes more than 1 GB."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from forge_burdens import BURDENS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS, MEGABYTES = 14, 1000  # of the processor, with 4 to start and to write the file


def _limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))


def _judged(name, checker):
    """The most memory it took, in MB; None if it did not come to an end."""
    found = subprocess.run(
        [sys.executable, str(HERE / "forge_burdens.py"), name, checker],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        preexec_fn=_limit,
        capture_output=True,
        text=True,
        check=False,
    )
    return int(found.stdout) if found.returncode == 0 else None


@pytest.mark.parametrize("name", BURDENS)
def test_forgery_endless_work_for_the_second_checker(name):
    peak = _judged(name, "check")
    assert peak is not None, "more than 10 seconds"
    assert peak < MEGABYTES


@pytest.mark.parametrize("name", ["long_unlearning", "long_learning"])
def test_forgery_endless_loops_for_the_first_checker(name):
    assert _judged(name, "core") is not None, "more than 10 seconds"
