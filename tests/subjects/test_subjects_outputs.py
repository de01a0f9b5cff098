"""What commands print and write of ids: those that are forgotten in reports, none in certificates, no
other subject's anywhere; and of removed rows nothing but their numbers."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from subject_specs import built, csv_table, npz_table, numbers, spec

from certaudit import cli, session
from certaudit.audit.conformance.recorder import record
from certaudit.audit.conformance.trace import write
from certaudit.data.identifiers import named_like_an_id
from certaudit.errors import InputWarning

GONE, STAYS = "PATIENT-773-GONE", "PATIENT-{}-STAYS"
N, OWN = 24, (3, 11)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A spec that forgets one subject of two rows among others of one row."""
    ids = [GONE if row in OWN else STAYS.format(row) for row in range(N)]
    return spec(tmp_path, csv_table(tmp_path, ids), f"{{ids: [{GONE}]}}")


def removed_values() -> list[str]:
    """The first digits of every number of the removed rows."""
    X, y = numbers(N)
    return [repr(x)[:9] for row in OWN for x in (*X[row].tolist(), float(y[row]))]


def outputs(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """What a command printed, and the files it wrote into ``folder``."""
    before = set(folder.rglob("*"))
    assert cli.main([str(one) for one in arguments]) in (0, 3)
    printed = capsys.readouterr()
    found = {"stdout": printed.out, "stderr": printed.err}
    written = {path for path in folder.rglob("*") if path.is_file()} - before
    return found | {path.name: path.read_bytes().decode("latin-1") for path in written}


def test_reports_echo_the_forgotten_id_and_nothing_of_the_others(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    commands = [
        ["verify", case, "--out", out, "--json", tmp_path / "a.json"],
        ["audit", case, "--shadows", "16", "--out", tmp_path / "audit"],
        ["power", case],
        ["derive", case],
        ["derive", case, "--save", tmp_path / "b.json"],
        ["calibrate", case, "--epsilon", "1", "--delta", "1e-5", "--csv", tmp_path / "c.csv"],
    ]
    for arguments in commands:
        for name, text in outputs(tmp_path, capsys, *map(str, arguments)).items():
            assert "STAYS" not in text, (arguments, name)
            for value in removed_values():
                assert value not in text, (arguments, name, value)
    report = json.loads((out / "report.json").read_text())["reports"][0]
    assert report["forgotten"]["subjects"] == [[{"id": GONE, "rows": list(OWN)}]]
    assert report["forgotten"]["id_column"] == "whose"
    assert f"subjects    '{GONE}' (rows 3, 11)" in (out / "report.txt").read_text()


def test_certificates_know_rows_and_no_ids(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for extra in ([], ["--include-data"]):
        certificate = tmp_path / "certificate.json"
        assert cli.main(["derive", str(case), "--save", str(certificate), *extra]) == 0
        text = certificate.read_text()
        assert "GONE" not in text
        assert "STAYS" not in text
        assert json.loads(text)["run"]["requests"][0]["rows"] == list(OWN)
        assert cli.main(["check", str(certificate), "--spec", str(case)]) == 0
        printed = capsys.readouterr().out
        assert "accepted" in printed
        assert "GONE" not in printed
        case.write_text(case.read_text().replace(GONE, STAYS.format(5)))
        assert cli.main(["check", str(certificate), "--spec", str(case)]) == 1
        assert "run.requests is not what the spec says" in capsys.readouterr().out
        case.write_text(case.read_text().replace(STAYS.format(5), GONE))


def test_traces_of_such_a_run_conform(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a fixed seed; a trace that forgets the subject's first row only differs."""
    (loaded,) = session.load([case])
    fewer = replace(loaded.run, requests=(replace(loaded.run.requests[0], rows=OWN[:1]),))
    for run, code in ((loaded.run, 0), (fewer, 1)):
        write(record(run, "P", seed=3), tmp_path / "t.npz")
        assert cli.main(["conform", str(case), str(tmp_path / "t.npz")]) == code
        assert "PATIENT" not in capsys.readouterr().out


def test_rank_and_calibrate_say_that_rows_are_taken_alone(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = "each row is taken alone; 1 subject of the data has several rows"
    for arguments in (
        ["rank", case, "--limit", "3"],
        ["calibrate", case, "--epsilon", "1", "--delta", "1e-5"],
    ):
        printed = outputs(tmp_path, capsys, *map(str, arguments))["stdout"]
        assert f"note: {note}" in printed
        assert "PATIENT" not in printed
        data = json.loads(outputs(tmp_path, capsys, *map(str, arguments), "--json", "-")["stdout"])
        assert data["note"].startswith(note)
        assert "PATIENT" not in json.dumps(data)


def test_odd_ids_are_echoed_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "a'b\\n\u202e"[:-1] + "ü<b>"
    quoted = "'" + odd.replace("'", "''") + "'"
    path = spec(tmp_path, npz_table(tmp_path, [odd, "x", "y"]), f"{{ids: [{quoted}]}}")
    assert cli.main(["verify", str(path), "--json", str(tmp_path / "r.json")]) in (0, 1, 3)
    printed = capsys.readouterr().out
    assert f"subjects    {odd!r} (row 0)" in printed
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["reports"][0]["forgotten"]["subjects"] == [[{"id": odd, "rows": [0]}]]


def test_many_subjects_are_shown_in_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [str(k) for k in range(20)]
    path = spec(tmp_path, csv_table(tmp_path, ids), f"{{ids: [{', '.join(ids[:12])}]}}")
    assert cli.main(["verify", str(path)]) in (0, 1, 3)
    printed = capsys.readouterr().out
    assert "'7' (row 7); ... (12 in all)" in printed
    assert "'8'" not in printed


def test_a_feature_that_looks_like_an_id_is_a_warning_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = csv_table(tmp_path, [str(k % 5) for k in range(12)], header="customer_id,a,b,spend")
    path = spec(tmp_path, source, "[7]")
    path.write_text(path.read_text().replace(", id_column: whose", ""))
    said = "column 'customer_id' looks like an id (by its name) and is used as a feature"
    assert cli.main(["verify", str(path), "--json", str(tmp_path / "r.json")]) in (0, 1, 3)
    printed = capsys.readouterr()
    assert printed.err.count(said) == printed.out.count(said) == 1
    assert printed.err.startswith(f"warning: {path}:3:16: data.source: ")
    report = json.loads((tmp_path / "r.json").read_text())["reports"][0]
    assert [text.startswith(said) for text in report["forgotten"]["warnings"]] == [True]
    with pytest.warns(InputWarning, match="looks like an id"):
        session.load([path])


def test_a_whole_number_of_its_own_in_every_row_is_a_warning(tmp_path: Path) -> None:
    X, y = numbers(12)
    for first, expected in [
        (np.arange(12.0) + 5, ["column 0 looks like an id (each row has a whole number of its own)"]),
        (np.arange(12.0) // 2, []),
        (np.arange(12.0) + 0.5, []),
    ]:
        np.savez(tmp_path / "t.npz", X=np.column_stack([first, X]), y=y)
        path = spec(tmp_path, "npz:t.npz", "[7]")
        path.write_text(path.read_text().replace(", id_column: whose", ""))
        found = [one.message.split(" and is used")[0] for one in built(path).warnings]
        assert found == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, True) for name in ("id", "ID", "customer_id", "customerId", "CustomerID", "user.uuid")],
        *[(name, True) for name in ("userid", "patient_no", "accountnumber", "person-guid", "SSN")],
        *[(name, False) for name in ("humidity", "width", "fluid", "acid", "solidity", "age", "no")],
        *[(name, False) for name in ("number", "idle", "residual", "bid_price", "covid", "paid")],
    ],
)
def test_names_of_ids(name: str, expected: bool) -> None:
    assert named_like_an_id(name) == expected


def test_a_text_id_that_was_meant_as_one_is_pointed_at_and_not_shown(tmp_path: Path) -> None:
    source = csv_table(tmp_path, ["anna", "bert", "carl"], header="patient_id,a,b,spend")
    path = spec(tmp_path, source, "[1]")
    path.write_text(path.read_text().replace(", id_column: whose", ""))
    result = subprocess.run(
        [sys.executable, "-m", "certaudit", "verify", path], capture_output=True, text=True
    )
    assert result.returncode == 2
    assert "name it as `id_column`" in result.stderr
    assert "anna" not in result.stderr


def test_built_in_data_give_no_warning() -> None:
    specs = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
    assert len(specs) > 10
    with warnings.catch_warnings():
        warnings.simplefilter("error", InputWarning)
        session.load(specs)
