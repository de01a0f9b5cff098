"""What only real processes show: descriptors, workers, code that ends processes or keeps state.

A code under audit is run for honest and dishonest reasons alike; what is caught here is caught for both.
"""

import json
import os
import re
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from blackbox_spec import ONCE

from certaudit import cli, session
from certaudit.audit.implementations import wire
from certaudit.audit.implementations.load import Names
from certaudit.audit.implementations.plan import seed_of
from certaudit.audit.implementations.processes import MOST_LINES, Server
from certaudit.audit.implementations.train import Foreign
from certaudit.audit.shadows import progress


def command(*arguments):
    """The command line in a process of its own, from the checkout."""
    script = str(Path(__file__).parents[3] / "cli.py")
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, timeout=120, check=False
    )


def audit(path, tmp_path, *more):
    asked = ["audit", str(path), "--allow-code", "--json", str(tmp_path / "r.json"), *more]
    code = cli.main(asked)
    (report,) = json.loads((tmp_path / "r.json").read_text())["reports"]
    return code, report


def failures(report):
    return {check["name"] for check in report["conformance"]["checks"] if check["p_value"] == 0}


def test_what_it_prints_below_python_does_not_mix_either(spec):
    path = spec(learn="chatter_from_below")
    done = command("audit", str(path), "--allow-code", "--json", "-", "--shadows", "8")
    assert done.returncode in (0, 3), done.stderr
    assert json.loads(done.stdout)["exit_code"] == done.returncode
    assert b"code: training" in done.stderr


def test_what_it_prints_cannot_pass_for_the_report(spec, capsys):
    cli.main(["audit", str(spec(learn="paints")), "--allow-code", "--shadows", "8"])
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    assert r"code: \x1b[2J\x1b[1mRESULT: PASS" in told.err
    assert not re.search("^RESULT: PASS", told.err, re.MULTILINE)


def test_what_it_prints_is_cut_off(spec, capsys):
    cli.main(["audit", str(spec(learn="shouts")), "--allow-code", "--shadows", "8"])
    told = capsys.readouterr().err
    assert told.count("code: ") == MOST_LINES + 1
    assert "not shown" in told


def test_workers_make_no_difference(spec, tmp_path):
    path = spec()
    done = command(
        "audit", str(path), "--allow-code", "--shadows", "16", "--workers", "2", "--json", "-"
    )
    assert done.returncode == 0, done.stderr
    audit(path, tmp_path, "--shadows", "16")
    assert json.loads(done.stdout) == json.loads((tmp_path / "r.json").read_text())


def test_workers_work_at_the_same_time(spec):
    (case,) = session.load([spec(learn="slow")])
    names = Names("foreign_code:slow", "foreign_code:unlearn", case.loaded.path.parent)
    spent = []
    for workers in (1, 4):
        foreign = Foreign(Server(names), 0, workers)
        begun = time.monotonic()
        foreign(case.run, "P", 0, 20)
        spent.append(time.monotonic() - begun)
    assert spent[0] > 40 * 0.05
    assert spent[1] < spent[0] / 2


def test_a_cache_gives_the_same_verdict_with_any_number_of_workers(spec, tmp_path):
    """Code that keeps its first X would spare itself the deletion, or the audit the difference."""
    functions = {"learn": "learn_from_cache", "unlearner": "unlearn_from_cache"}
    path = spec(**functions, reference="retrained", epsilon="0.5")
    found = [audit(path, tmp_path, "--workers", str(workers)) for workers in (1, 4)]
    assert found[0] == found[1]
    assert found[0][0] == 1


def test_a_model_that_ends_its_process_ends_alone(spec, tmp_path):
    for learn, text in (("dies_once", "exit status 7"), ("crashes", "signal 11")):
        _, report = audit(spec(learn=learn), tmp_path)
        (broken,) = report["audit"]["broken"]
        world, shadow = re.match(r"world ([PQ]), shadow (\d+), learn with seed", broken).groups()
        assert f"seed {seed_of(0, world, int(shadow), 0)}" in broken
        assert text in broken
        assert report["audit"]["trained"] == int(shadow) >= 8
        assert not report["audit"]["claims"][0]["skipped"]


def test_a_model_that_ends_the_process_it_came_from_ends_alone_too(spec, tmp_path):
    _, report = audit(spec(learn="kills_its_parent"), tmp_path)
    _, other = audit(spec(learn="dies_once"), tmp_path)
    (broken,) = report["audit"]["broken"]
    assert "the process that it was forked from ended" in broken
    assert report["audit"]["trained"] == other["audit"]["trained"]


def test_a_stage_that_dies_is_named(spec, tmp_path):
    code, report = audit(spec(learn="dies"), tmp_path, "--workers", "2")
    assert code == 3
    (broken,) = report["audit"]["broken"]
    assert re.fullmatch(
        r"world P, shadow 0, learn with seed \d+: it ended its process \(exit status 7\)", broken
    )


def test_code_that_ends_while_it_is_imported_is_one_line(spec, capsys):
    path = spec()
    with (path.parent / "foreign_code.py").open("a") as file:
        file.write("os._exit(3)\n")
    assert cli.main(["audit", str(path), "--allow-code"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "implementation.learn: importing the code ended its process" in line


def test_state_in_the_working_folder_reaches_no_other_model(spec, tmp_path):
    _, plain = audit(spec(), tmp_path)
    _, cached = audit(spec(learn="learn_from_working_folder"), tmp_path)
    assert cached["audit"]["claims"] == plain["audit"]["claims"]
    assert cached["audit"]["remarks"] == plain["audit"]["remarks"]


def test_state_beside_the_code_is_told(spec, tmp_path):
    _, report = audit(spec(learn="learn_from_file"), tmp_path)
    (remark,) = [one for one in report["audit"]["remarks"] if "for writing" in one]
    assert "first.npz" in remark


def test_state_that_changes_a_model_is_a_failed_check(spec, tmp_path):
    code, report = audit(spec(learn="learn_and_count"), tmp_path)
    assert code == 1
    assert failures(report) == {"made twice"}


def test_a_process_left_running_is_ended_and_told(spec, tmp_path):
    begun = time.monotonic()
    _, report = audit(spec(learn="forks_a_daemon"), tmp_path, "--shadows", "8")
    assert time.monotonic() - begun < 30
    if sys.platform == "linux":
        assert any("left processes running" in one for one in report["audit"]["remarks"])


@pytest.mark.parametrize("learn", ["forks_and_returns_twice", "leaves_a_thread", "breaks_numpy"])
def test_odd_code_is_no_more_than_odd(spec, tmp_path, learn):
    _, plain = audit(spec(), tmp_path, "--shadows", "8")
    _, report = audit(spec(learn=learn), tmp_path, "--shadows", "8")
    assert report["audit"]["claims"] == plain["audit"]["claims"]


def test_the_code_is_never_imported_by_the_audit_itself(spec, tmp_path):
    path = spec()
    with (path.parent / "foreign_code.py").open("a") as file:
        file.write("np.add = None\n")
    sys.modules.pop("foreign_code", None)
    audit(path, tmp_path, "--shadows", "8")
    assert "foreign_code" not in sys.modules
    assert np.add(1, 1) == 2


def test_an_audit_that_is_killed_takes_the_code_along(spec):
    path = spec(learn="slow")
    with (path.parent / "foreign_code.py").open("a") as file:
        file.write("(Path(__file__).parent / 'server').write_text(str(os.getpid()))\n")
    script = str(Path(__file__).parents[3] / "cli.py")
    asked = [sys.executable, script, "audit", str(path), "--allow-code", "--workers", "2"]
    with subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        file = path.parent / "server"
        while not (file.exists() and file.read_text()):
            time.sleep(0.05)
        time.sleep(1)
        process.kill()
    for _ in range(100):
        if not running(int(file.read_text())):
            return
        time.sleep(0.05)
    raise AssertionError("the process that has the code goes on")


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_file_gets_a_progress_line(spec, capsys, monkeypatch):
    monkeypatch.setattr(progress, "FIRST", 0.0)
    cli.main(["audit", str(spec()), "--allow-code", "--shadows", "8"])
    told = capsys.readouterr().err
    assert re.search(r"^shadows of both worlds: 1 of 16 models in \d+ s, about \d+ s left$", told, re.M)


def message(kind, body, size=None):
    return kind + wire.LENGTH.pack(len(body) if size is None else size) + body


def model(vector, head=b'{"prints": [], "wrote": []}'):
    return wire.LENGTH.pack(len(head)) + head + np.asarray(vector, dtype=np.float64).tobytes()


def test_what_a_model_sends_is_read_with_care():
    good = message(wire.MODEL, model([1.0, 2.0]))
    assert wire.read(good, 0, 0).vector.tolist() == [1.0, 2.0]
    for bad in (
        b"",
        b"m",
        good[:-1],
        message(wire.MODEL, model([1.0]), size=2**60),
        message(wire.MODEL, model([])),
        message(wire.MODEL, model([np.nan])),
        message(wire.MODEL, model([1.0])[:-3]),
        message(wire.MODEL, model([1.0], b"{}")),
        message(wire.MODEL, model([1.0], b"[1]")),
        message(wire.MODEL, model([1.0], b"\xff")),
        message(wire.MODEL, model([1.0], b'{"prints": 3, "wrote": []}')),
        message(wire.MODEL, struct.pack("!Q", 2**63) + b"{}"),
        message(wire.FAULT, b"\xff"),
    ):
        report = wire.read(bad, 0, 0)
        assert report.vector is None
        assert report.fault


def test_several_requests_have_a_stage_each(spec, tmp_path):
    stages = "".join(f"\n  - {{rows: {rows}, {ONCE}}}" for rows in ("[4]", "[7]"))
    code, report = audit(spec(forget=stages, unlearn=""), tmp_path)
    where = {check["where"] for check in report["conformance"]["checks"] if check["name"] == "seeds"}
    assert code == 0
    assert {"world P, after learning", "world Q, after request 2"} <= where
