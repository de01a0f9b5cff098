"""``certaudit conform``: recorded traces against a spec.

Seeds are fixed; an honest trace of another seed would be refused with probability at most 0.05.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from certaudit import cli, session
from certaudit.audit.conformance.recorder import record
from certaudit.audit.conformance.trace import write

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture(scope="module", params=["logistic-langevin", "digits-mlp-sgld", "ridge-cyclic"])
def recorded(request):
    spec = SPECS / f"{request.param}.yaml"
    (case,) = session.load([spec])
    return spec, {world: record(case.run, world, seed=4) for world in "PQ"}


def test_an_honest_trace_conforms(recorded, tmp_path, capsys):
    spec, traces = recorded
    for world, trace in traces.items():
        write(trace, tmp_path / "t.npz")
        assert cli.main(["conform", str(spec), str(tmp_path / "t.npz"), "--world", world]) == 0
        assert "no difference found" in capsys.readouterr().out


def test_a_trace_of_the_other_world_or_with_other_steps_differs(recorded, tmp_path, capsys):
    spec, traces = recorded
    trace = traces["Q"]
    wrong = replace(trace, after=np.roll(trace.after, 1, axis=0))
    for one in (trace, wrong):
        write(one, tmp_path / "t.npz")
        assert cli.main(["conform", str(spec), str(tmp_path / "t.npz")]) == 1
        assert "IMPLEMENTATION DIFFERS" in capsys.readouterr().out


def test_what_is_no_trace_is_one_line(recorded, tmp_path, capsys):
    spec, traces = recorded
    (tmp_path / "a.npz").write_text("no")
    trace = traces["P"]
    short = {name: getattr(trace, name)[:, :2] for name in ("noise", "before", "after")}
    write(replace(trace, **short), tmp_path / "b.npz")
    files = [str(tmp_path / name) for name in ("a.npz", "b.npz", "c.npz")]
    assert cli.main(["conform", str(spec), *files]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(file) for line, file in zip(lines, files, strict=True))


def test_the_checks_as_data(recorded, tmp_path, capsys):
    spec, traces = recorded
    write(traces["P"], tmp_path / "t.npz")
    assert cli.main(["conform", str(spec), str(tmp_path / "t.npz"), "--json", "-"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["traces"]
    assert not one["differs"]
    assert {"steps", "arithmetic", "noise scale"} <= {check["name"] for check in one["checks"]}
