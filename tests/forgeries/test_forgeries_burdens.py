"""No file keeps the second checker for more than 10 seconds, or takes more than 1 GB."""

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import process_time

import pytest
from forge_burdens import BURDENS

from certaudit.check import check_bytes, checker
from certaudit.check.refusal import WORK, limited

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHARE = 20
SECONDS, MEGABYTES = 14, 1000  # of the processor, with 4 to start and to write the file


@pytest.mark.parametrize("name", BURDENS)
def test_what_is_counted_is_what_it_takes(name, monkeypatch):
    """A twentieth of the work that is allowed comes to less than a twentieth of 10 seconds, but for the
    reading of the file and one operation that ends it."""
    raw = BURDENS[name]()
    monkeypatch.setattr(checker, "limited", partial(limited, WORK / SHARE))
    started = process_time()
    checker.examined(raw)
    assert process_time() - started < 10 / SHARE + 0.3


def test_forgery_endless_work_is_refused():
    (reason,) = check_bytes(BURDENS["many_drifts"]()).reasons
    assert reason.startswith("7 LIMIT in LINE ")


def _limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))


def _judged(name, by):
    """The most memory it took, in MB; None if it did not come to an end."""
    found = subprocess.run(
        [sys.executable, str(HERE / "forge_burdens.py"), name, by],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        preexec_fn=_limit,
        capture_output=True,
        text=True,
        check=False,
    )
    return int(found.stdout) if found.returncode == 0 else None


@pytest.mark.statistics
@pytest.mark.parametrize("name", BURDENS)
def test_forgery_all_the_work_that_is_allowed(name):
    """The count of work alone, without the limits of the system, holds both; no false alarms but for a
    processor half as fast as that of 2026."""
    peak = _judged(name, "check")
    assert peak is not None, "more than 10 seconds"
    assert peak < MEGABYTES


@pytest.mark.parametrize("name", ["long_unlearning", "long_learning"])
def test_forgery_endless_loops_for_the_first_checker(name):
    assert _judged(name, "core") is not None, "more than 10 seconds"
