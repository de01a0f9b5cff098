"""What is refused before any rule runs, and how refusals are printed."""

import copy
import json
import os
import subprocess
import sys
import time

import check_runs
import pytest
from certificate_builder import document, phase, proof, run, seal, sha
from gmpy2 import mpq

from certaudit.check import check_file
from certaudit.check.__main__ import lines_of, main
from certaudit.check.checker import examined
from certaudit.check.document import FORMAT, number, parsed
from certaudit.check.refusal import Refused, limited

GOOD = check_runs.bounded()


def refused(value, code, why=""):
    report = examined(value if isinstance(value, bytes) else seal(value))
    assert not report.accepted
    assert report.claims == ()
    assert code in report.reasons[0]
    assert why in report.reasons[0]
    assert "\n" not in report.reasons[0]
    assert report.reasons[0].isascii()
    return report


def changed(path, value):
    found = copy.deepcopy(GOOD)
    place = found
    for key in path[:-1]:
        place = place[key]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return found


@pytest.mark.parametrize("kind", check_runs.ALL)
def test_good_certificates_are_accepted(kind):
    report = examined(seal(check_runs.ALL[kind]()))
    assert report.accepted, report.reasons
    assert len(report.claims) >= 3
    assert report.lines >= 6


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("3/4", mpq(3, 4)),
        ("-6/8", mpq(-3, 4)),
        ("3p2", 12),
        ("-3p-2", mpq(-3, 4)),
        ("1p-100000", mpq(1, 2**100000)),
    ],
)
def test_numbers(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+1",
        " 1",
        "1 ",
        "1e5",
        "1.5",
        "1/0",
        "1/-2",
        "1p",
        "p3",
        "1p+3",
        "1p100001",
        "1p-100001",
        "1p99999999999999999999",
        "0x10",
        "1_000",
        "--1",
        "nan",
        "inf",
        "1\n",
        "١٢",
        "１",
        "1/２",
        "²",
        "9" * 20_001,
        1,
        True,
        None,
        1.5,
        ["1"],
    ],
)
def test_what_is_no_number(text):
    with pytest.raises(Refused):
        number(text)


def test_exponents_cost_memory():
    with pytest.raises(Refused, match="work"), limited():
        list(map(number, ["1p-100000"] * 10**6))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff\xfe{}", "JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": 1.5}', "not a number"),
        (b'{"a": NaN}', "not a number"),
        (b'{"a": -Infinity}', "not a number"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b"[" + b"0," * 2_000_000 + b"0]", "values"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "JSON"),
        (b" " * ((64 << 20) + 1), "bytes"),
        (b"[]", "object"),
        ("﻿{}".encode(), "JSON"),
    ],
)
def test_what_is_no_document(content, why):
    report = refused(content, "1 FORMAT", why)
    assert not report.readable


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (["format"], "certaudit certificate 2", "1 FORMAT"),
        (["spec"], KeyError, "1 FORMAT"),
        (["extra"], 1, "1 FORMAT"),
        (["spec", "sha256"], "0" * 63, "1 FORMAT"),
        (["proofs"], [], "1 FORMAT"),
        (["proofs", 0, "claims"], [], "1 FORMAT"),
        (["proofs", 0, "requests"], 2, "1 FORMAT"),
        (["proofs", 0, "requests"], 0, "1 FORMAT"),
        (["proofs", 0, "requests"], True, "1 FORMAT"),
        (["proofs", 0, "notes"], "", "1 FORMAT"),
        (["run", "loss"], "hinge", "1 FORMAT"),
        (["run", "loss"], "ridge", "1 FORMAT"),
        (["run", "l2"], "-1", "1 FORMAT"),
        (["run", "l2"], 1, "1 FORMAT"),
        (["run", "threshold"], None, "1 FORMAT"),
        (["run", "classes"], 2, "1 FORMAT"),
        (["run", "projection"], "0", "1 FORMAT"),
        (["run", "release"], KeyError, "1 FORMAT"),
        (["run", "release"], None, "1 FORMAT"),
        (["run", "assumptions"], KeyError, "1 FORMAT"),
        (["run", "learn", "steps"], -1, "1 FORMAT"),
        (["run", "learn", "steps"], 10**18, "1 FORMAT"),
        (["run", "learn", "step_size"], "0", "1 FORMAT"),
        (["run", "learn", "steps"], "12", "1 FORMAT"),
        (["run", "learn", "noise_variance"], "-1", "1 FORMAT"),
        (["run", "learn", "batches"], [[0, 0]], "1 FORMAT"),
        (["run", "learn", "batches"], [[]], "1 FORMAT"),
        (["run", "learn", "batches"], [[8]], "1 FORMAT"),
        (["run", "learn", "batches"], [[-1]], "1 FORMAT"),
        (["run", "requests"], [], "1 FORMAT"),
        (["run", "requests", 0, "rows"], [], "1 FORMAT"),
        (["run", "requests", 0, "rows"], [5, 5], "1 FORMAT"),
        (["run", "requests", 0, "rows"], [9], "1 FORMAT"),
        (["run", "start", "mean"], ["0"], "1 FORMAT"),
        (["run", "start", "variance"], "-1", "1 FORMAT"),
        (["run", "reference", "kind"], "retrained ", "1 FORMAT"),
        (["data", "rows"], 7, "3 DATA"),
        (["data", "columns"], 3, "3 DATA"),
        (["data", "sha256"], "0" * 64, "3 DATA"),
        (["data", "X", 0, 0], "1", "3 DATA"),
        (["data", "y", 0], "1/3", "3 DATA"),
        (["data", "y"], KeyError, "3 DATA"),
        (["data", "X", 1], ["1"], "3 DATA"),
        (["proofs", 0, "lines", 0, "rule"], "S9", "4 LINE 0 of proof 0"),
        (["proofs", 0, "lines", 0, "note"], "", "4 LINE 0 of proof 0"),
        (["proofs", 0, "lines", 2, "uses"], [2], "4 LINE 2 of proof 0"),
        (["proofs", 0, "lines", 2, "uses"], [-1], "4 LINE 2 of proof 0"),
        (["proofs", 0, "lines", 2, "uses"], [True], "4 LINE 2 of proof 0"),
        (["proofs", 0, "lines", 0, "witness"], {}, "4 LINE 0 of proof 0 (S2)"),
        (["proofs", 0, "lines", 0, "witness"], [], "4 LINE 0 of proof 0 (S2)"),
        (["proofs", 0, "lines", 0, "witness", "more"], 1, "4 LINE 0 of proof 0 (S2)"),
        (["proofs", 0, "claims", 0, "verdict"], "true", "5 CLAIM 0 of proof 0, 'a'"),
        (["proofs", 0, "claims", 0, "lines"], [], "5 CLAIM"),
        (["proofs", 0, "claims", 0, "lines"], [99], "5 CLAIM"),
        (["proofs", 0, "claims", 0, "claim", "theorem"], "mine", "5 CLAIM"),
        (["proofs", 0, "claims", 0, "claim", "kind"], "secret", "5 CLAIM"),
    ],
)
def test_every_part_is_read_strictly(path, value, code):
    refused(changed(path, value), code)


def test_the_seal():
    value = json.loads(seal(GOOD))
    value["run"]["l2"] = "1/10"
    refused(json.dumps(value).encode(), "2 SEAL")


def test_labels_are_a_premise_of_the_loss():
    X, _ = check_runs.rows()
    for loss, classes, labels in (
        ("logistic", 1, [8.0] * 8),
        ("softmax", 2, [0.5] * 8),
        ("softmax", 2, [2.0] * 8),
    ):
        the_run = run(
            2 * classes, phase(2, "1/2", "1"), [([5], phase(2, "1/2", "1"))], loss=loss, classes=classes
        )
        claims = GOOD["proofs"][0]["claims"]
        refused(document(X, labels, the_run, [proof([], claims)]), "1 FORMAT run", "label")


def test_data_beside_the_certificate(tmp_path):
    data = {key: list(GOOD["data"][key]) for key in ("X", "y")}
    value = changed(["data", "X"], KeyError)
    del value["data"]["y"]
    refused(value, "3 DATA", "leaves out the data")
    path, beside = tmp_path / "c.json", tmp_path / "d.json"
    path.write_bytes(seal(value))
    beside.write_text(json.dumps(data))
    assert check_file(path, beside).accepted
    assert main([str(path), "--data", str(beside)]) == 0
    assert examined(seal(value), json.dumps(data).encode()).accepted
    data["y"][5] = "0"
    beside.write_text(json.dumps(data))
    assert "3 DATA" in check_file(path, beside).reasons[0]
    assert main([str(path), "--data", str(beside)]) == 1
    path.write_bytes(seal(GOOD))
    assert "3 DATA" in check_file(path, beside).reasons[0]


def test_the_digest_takes_the_shortest_spelling():
    value = changed(["data", "X", 0, 0], GOOD["data"]["X"][0][0])
    mantissa, _, exponent = value["data"]["X"][0][0].partition("p")
    value["data"]["X"][0][0] = f"{int(mantissa) * 2}p{int(exponent) - 1}"
    assert examined(seal(value)).accepted
    value["data"]["sha256"] = sha({key: value["data"][key] for key in ("X", "y")})
    refused(value, "3 DATA")


def test_only_regular_files(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, "/dev/zero", "/dev/stdin", tmp_path / "absent"):
        started = time.monotonic()
        report = check_file(path)
        assert not report.accepted
        assert "1 FORMAT" in report.reasons[0]
        assert time.monotonic() - started < 5
        assert main([str(path)]) == 2
    good = tmp_path / "c.json"
    good.write_bytes(seal(GOOD))
    assert not check_file(good, pipe).accepted


FAKES = [
    "x\naccepted: 9 lines",
    "\x1b[2Kaccepted",
    "\u202eaccepted",
    "accepted",
    "a\rb",
    "\x7f",
    "\ud800",
    "é",
]


@pytest.mark.parametrize("name", FAKES)
def test_names_cannot_pass_for_the_checkers_words(name, capsys, tmp_path):
    for path in (
        ["proofs", 0, "claims", 0, "claim", "id"],
        ["proofs", 0, "lines", 0, "rule"],
        ["run", "assumptions"],
    ):
        value = changed(path, [name] if path[-1] == "assumptions" else name)
        report = examined(seal(value))
        lines = lines_of(report)
        assert all(text.isascii() and text.isprintable() for text in lines)
        assert [text.startswith("accepted") for text in lines].count(True) == report.accepted
        file = tmp_path / "c.json"
        file.write_bytes(seal(value))
        main([str(file)])
        printed = capsys.readouterr().out
        assert printed == "\n".join(lines) + "\n"
    refused(changed([name], 1), "1 FORMAT")


def test_the_checker_says_what_is_assumed():
    report = examined(seal(changed(["run", "assumptions"], [])))
    assert report.accepted
    assert len(report.assumptions) == 1
    assert any("assumed" in text for text in lines_of(report))


def test_no_internal_error_passes(monkeypatch):
    from certaudit.check import checker

    for fault in (
        ValueError,
        KeyError,
        OverflowError,
        RecursionError,
        AttributeError,
        AssertionError,
    ):

        def broken(*_, fault=fault):
            raise fault("\nsecret")

        monkeypatch.setitem(checker.RULES, "S2", broken)
        refused(GOOD, "4 LINE 0 of proof 0 (S2)", fault.__name__)

    def greedy(*_):
        raise MemoryError

    monkeypatch.setitem(checker.RULES, "S2", greedy)
    refused(GOOD, "7 LIMIT in LINE 0 of proof 0 (S2)", "memory")


def test_limits_are_met_at_once():
    for value in (
        changed(["run", "learn"], phase(10**9, "1/2", "1/100", [[0, 1], [2, 3]])),
        changed(["run", "learn"], phase(10**6 + 1, "1/2", "1/100", [[0, 1], [5]])),
        changed(
            ["proofs", 0, "lines"], [{"rule": "S1", "uses": [], "witness": {"last": None}}] * 20_001
        ),
    ):
        started = time.process_time()
        report = examined(seal(value))
        assert not report.accepted
        assert time.process_time() - started < 3


def test_a_billion_steps_are_no_burden():
    value = changed(["run", "learn", "steps"], 10**9)
    value["run"]["reference"]["steps"] = 10**9
    value["proofs"][0]["lines"][3]["witness"]["split"][0] = {
        "count": 10**9,
        "first": "1/100",
        "ratio": "1",
    }
    started = time.process_time()
    refused(value, "5 CLAIM")
    assert time.process_time() - started < 1


def test_json_of_the_format_alone():
    assert parsed(b'{"a": [1, "2", null, true]}') == {"a": [1, "2", None, True]}
    assert GOOD["format"] == FORMAT


def test_the_command_prints_and_exits(tmp_path):
    path = tmp_path / "c.json"
    path.write_bytes(seal(GOOD))
    done = subprocess.run(
        [sys.executable, "-m", "certaudit.check", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("accepted: 8 lines, 4 claims\n  proved: epsilon-delta claim 'a'\n")
