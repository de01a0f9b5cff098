"""The process that judges: what it says comes back whole, and whatever happens to it is a refusal."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import check_runs
import numpy as np
import pytest
from certificate_builder import certificate, claim, line, phase, run, seal

from certaudit.check import check_bytes, check_file, confined
from certaudit.check.checker import examined

GOOD = seal(check_runs.bounded())


def test_it_says_what_is_said_here():
    without = check_runs.bounded()
    data = json.dumps({key: without["data"].pop(key) for key in ("X", "y")}).encode()
    bare = seal(without)
    for given in ((GOOD, None), (GOOD, data), (bare, data), (bare, None), (bare, b""), (b"", None)):
        assert check_bytes(*given) == examined(*given)
    assert check_bytes(GOOD).accepted
    assert check_bytes(bare, data).accepted


def test_it_serves_threads():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(check_bytes, [GOOD, GOOD[:-1], GOOD, GOOD[:-1]]))
    assert [report.accepted for report in found] == [True, False, True, False]


def altered(monkeypatch, prelude):
    """The other process does something else first, once its limits are set."""
    start = subprocess.run

    def started(call, **options):
        code = call[2].replace("it.answer()", f"it._confine(); {prelude}; it.answer()")
        assert code != call[2]
        return start([*call[:2], code], **options)

    monkeypatch.setattr(confined.subprocess, "run", started)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of the system")
@pytest.mark.parametrize(
    ("prelude", "why"),
    [
        ("pow(3, 10**9)", "needs more than 1 s of the processor"),
        ("bytes(2 * 10**9)", "needs more than 1000 MB of memory"),
        ("import gmpy2; gmpy2.mpz(1) << 2 * 10**10", "needs more than 1000 MB of memory"),
        ("import os; os.abort()", "or broke off"),
        ("import os; os._exit(3)", "or broke off"),
        ("import time; time.sleep(9)", "no answer within 3 s"),
    ],
)
def test_what_it_cannot_finish_is_refused(monkeypatch, capfd, prelude, why):
    """Also where C code holds the interpreter and hears no signal."""
    monkeypatch.setattr(confined, "PATIENCE", 60 if "processor" in why else 3)
    altered(monkeypatch, "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2)); " + prelude)
    monkeypatch.setattr(confined, "SECONDS", 1)
    started = perf_counter()
    report = check_bytes(GOOD)
    assert perf_counter() - started < 60
    assert not report.accepted
    assert report.readable
    (reason,) = report.reasons
    assert reason.startswith("7 LIMIT: ")
    assert why in reason
    assert capfd.readouterr() == ("", "")


def test_without_limits_of_the_system_it_answers_all_the_same(monkeypatch):
    start = subprocess.run

    def started(call, **options):
        return start([*call[:2], "import sys; sys.modules['resource'] = None; " + call[2]], **options)

    monkeypatch.setattr(confined.subprocess, "run", started)
    assert check_bytes(GOOD).accepted


def test_without_a_process_it_refuses(monkeypatch):
    monkeypatch.setattr(confined.sys, "executable", "/nowhere/python")
    (reason,) = check_bytes(GOOD).reasons
    assert reason.startswith("7 LIMIT: no process to check in")


def test_the_command_says_so_and_exits_with_1(tmp_path):
    """A file within the format's limits that asks for too much: 10^8 covariances."""
    X = np.ones((2, 10_000))
    the_run = run(10_000, phase(1, 1, 1), [([1], phase(1, 1, 1))])
    claims = [claim("epsilon-delta", [0], epsilon="1", delta="1")]
    path = tmp_path / "c.json"
    path.write_bytes(certificate(X, [0, 0], the_run, [line("E1", bases=[])], claims))
    (reason,) = check_file(path).reasons
    assert reason.startswith("7 LIMIT in LINE 0 of proof 0 (E1): more work")
    for arguments in (["-m", "certaudit.check"], ["-m", "certaudit", "check"]):
        done = subprocess.run(
            [sys.executable, *arguments, str(path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert reason in done.stdout
        assert done.stderr == ""
