"""What only real processes show: shared descriptors, worker processes."""

import json
import re
import subprocess
import sys
from pathlib import Path

from certaudit import cli


def command(*arguments):
    """The command line in a process of its own, from the checkout."""
    script = str(Path(__file__).parents[3] / "cli.py")
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, timeout=120, check=False
    )


def test_what_it_prints_below_python_does_not_either(spec):
    """Descriptors are shared with child processes, so only a real process shows it."""
    path = spec(learn="chatter_from_below")
    done = command("audit", str(path), "--allow-code", "--json", "-", "--shadows", "8")
    assert done.returncode in (0, 3), done.stderr
    assert json.loads(done.stdout)["exit_code"] == done.returncode
    assert b"training" in done.stderr


def test_workers_from_a_checkout_and_one_that_dies(spec, tmp_path):
    """Workers import the main module again; one that dies is a breakdown, not an internal error."""
    path = spec()
    with_two = ["--allow-code", "--shadows", "16", "--workers", "2", "--json", "-"]
    done = command("audit", str(path), *with_two)
    assert done.returncode == 0, done.stderr
    cli.main(["audit", str(path), "--allow-code", "--shadows", "16", "--json", str(tmp_path / "r.json")])
    assert json.loads(done.stdout) == json.loads((tmp_path / "r.json").read_text())
    done = command("audit", str(spec(learn="dies")), *with_two)
    assert done.returncode == 3, done.stderr
    (broken,) = json.loads(done.stdout)["reports"][0]["audit"]["broken"]
    assert re.fullmatch(r"world P, one of shadows 0 to 7: its process died", broken)
