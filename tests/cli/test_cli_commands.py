"""The command as a user runs it: exit codes, reports, bad input."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"


def certaudit(*arguments, cwd=ROOT, **environment):
    return subprocess.run(
        [sys.executable, "-m", "certaudit", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=300,
    )


EXPECTED = {
    "ridge-diabetes": (0, {"proved"}),
    "ridge-diabetes-before-and-after": (0, {"proved"}),
    "ridge-diabetes-every-step": (1, {"proved", "refuted"}),
    "ridge-digits": (0, {"proved"}),
    "logistic-breast-cancer": (0, {"proved"}),
    "ridge-diabetes-refuted": (1, {"refuted"}),
    "logistic-premise-failed": (3, {"premise failed"}),
    "logistic-langevin": (0, {"proved"}),
    "logistic-noisy-sgd": (0, {"proved"}),
    "logistic-output-noise": (0, {"proved"}),
    "huber-diabetes": (0, {"proved"}),
    "softmax-iris": (0, {"proved"}),
    "digits-mlp-sgld": (0, {"proved"}),
    "digits-cnn-finetune": (3, {"premise failed"}),
    "ridge-cyclic": (0, {"proved"}),
    "ridge-sequential": (0, {"proved"}),
    "ridge-calibration-leak": (1, {"proved", "refuted"}),
}


def test_every_spec_is_expected_here():
    assert {path.stem for path in SPECS.glob("*.yaml")} == set(EXPECTED)


WORDS = {0: "PASS", 1: "FAIL", 2: "ERROR", 3: "OPEN"}


def said(name, folder=SPECS):
    """Exit codes of verify and audit that a spec's comment states, each with its word."""
    text = " ".join(
        line.removeprefix("#")
        for line in (folder / f"{name}.yaml").read_text().splitlines()
        if line.startswith("#")
    )
    found = re.search(r"verify: (\w+) \(exit (\d)\); audit: (\w+) \(exit (\d)\)\.", text)
    word_of_verify, verify, word_of_audit, audit = found.groups()
    assert (word_of_verify, word_of_audit) == (WORDS[int(verify)], WORDS[int(audit)])
    return int(verify), int(audit)


def begins_and_ends(printed, code):
    first, last = printed.splitlines()[0], printed.splitlines()[-1]
    assert first == last
    assert first.startswith(f"RESULT: {WORDS[code]} – ")
    assert first.endswith(f" (exit {code})")


@pytest.mark.parametrize("name", EXPECTED)
def test_specs_give_what_their_comment_says(name, tmp_path):
    result = certaudit("verify", SPECS / f"{name}.yaml", "--json", tmp_path / "r.json")
    code, words = EXPECTED[name]
    assert result.returncode == code == said(name)[0], result.stderr
    begins_and_ends(result.stdout, code)
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["exit_code"], report["result"]) == (code, WORDS[code])
    verdicts = [claim["verdict"] for claim in report["reports"][0]["claims"]]
    assert set(verdicts) == words


@pytest.mark.parametrize("name", EXPECTED)
def test_specs_can_be_attacked(name):
    result = certaudit("audit", SPECS / f"{name}.yaml", "--shadows", 256)
    assert result.returncode == said(name)[1], result.stderr
    begins_and_ends(result.stdout, result.returncode)
    assert "256 shadow models in each world" in result.stdout
    by_attack = name in ("digits-cnn-finetune", "ridge-calibration-leak")
    assert ("REFUTED STATISTICALLY" in result.stdout) == by_attack


def test_launcher_and_help_agree():
    by_file = subprocess.run(
        [sys.executable, ROOT / "cli.py", "verify", "--help"], capture_output=True, text=True
    )
    assert by_file.returncode == 0
    lines = [line for line in by_file.stdout.splitlines() if re.match(r"  [0-3]  [A-Z]+: ", line)]
    assert [line.split(":")[0].split() for line in lines] == [[str(k), WORDS[k]] for k in range(4)]
    for line in lines:
        code, meaning = line.strip().split("  ")
        assert "| {} | {} | {}".format(code, *meaning.split(": ", 1)) in (ROOT / "README.md").read_text()


def test_verify_never_imports_torch():
    code = (
        "import sys; from certaudit.cli import main; "
        f"main(['verify', {str(SPECS / 'ridge-diabetes.yaml')!r}]); "
        "heavy = {'torch', 'scipy.stats', 'sklearn', 'matplotlib', 'tqdm', 'sympy'}; "
        "assert not heavy & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stderr


def test_refuted_wins_over_open_and_several_specs_make_one_report(tmp_path):
    specs = [SPECS / "logistic-premise-failed.yaml", SPECS / "ridge-diabetes-refuted.yaml"]
    result = certaudit("verify", *specs, "--out", tmp_path / "out")
    assert result.returncode == 1
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [r["name"] for r in report["reports"]] == [
        "logistic-premise-failed",
        "ridge-diabetes-refuted",
    ]
    assert (tmp_path / "out" / "report.txt").read_text() == result.stdout
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"report.json", "report.txt"}


def test_one_claim_can_be_chosen():
    result = certaudit("verify", SPECS / "ridge-diabetes.yaml", "--claim", "renyi", "--json", "-")
    claims = json.loads(result.stdout)["reports"][0]["claims"]
    assert [c["claim"]["id"] for c in claims] == ["renyi"]
    wrong = certaudit("verify", SPECS / "ridge-diabetes.yaml", "--claim", "none")
    assert wrong.returncode == 2
    assert "the claims are issued, renyi" in wrong.stderr


def test_derivation_is_a_closed_numbered_tree():
    result = certaudit("verify", SPECS / "ridge-diabetes.yaml", "--json", "-")
    for claim in json.loads(result.stdout)["reports"][0]["claims"]:
        lines = claim["derivation"]
        numbers = [one["line"] for one in lines]
        assert lines
        assert numbers == sorted(set(numbers))
        assert all(used in numbers and used < one["line"] for one in lines for used in one["uses"])
        assert all(one["rule"] and one["source"].startswith("theory.md#") for one in lines)


def test_derive_shows_statements_and_sources():
    plain = certaudit("derive", SPECS / "ridge-diabetes.yaml", "--claim", "issued")
    assert plain.returncode == 0
    for expected in ("ALG22", "moment-function", "BSA24", "premise", "enclosure", "C6", "I1", "S3"):
        assert expected in plain.stdout
    latex = certaudit("derive", SPECS / "ridge-diabetes.yaml", "--claim", "issued", "--latex")
    assert "\\frac" in latex.stdout


def test_schema_is_json_schema():
    result = certaudit("schema")
    schema = json.loads(result.stdout)
    assert result.returncode == 0
    assert {"data", "model", "learn", "forget", "unlearn", "claims"} <= set(schema["properties"])


def test_bad_input_is_one_line_each_exit_2_and_writes_nothing(tmp_path):
    text = (SPECS / "ridge-diabetes.yaml").read_text()
    text = text.replace("epsilon: 0.12", "epsillon: 0.12").replace("delta: 1e-6", "delta: 2")
    text = text.replace("unlearn: {steps: 20", "unlearn: {steps: 0")
    spec = tmp_path / "bad.yaml"
    spec.write_text(text)
    out = tmp_path / "out"
    result = certaudit("verify", spec, SPECS / "none.yaml", "--out", out, "--json", out / "x.json")
    assert result.returncode == 2
    begins_and_ends(result.stdout, 2)
    lines = result.stderr.splitlines()
    assert len(lines) >= 4
    assert all(line.startswith((f"{spec}:", f"{SPECS / 'none.yaml'}:")) for line in lines)
    assert any("did you mean" in line for line in lines)
    assert "Traceback" not in result.stderr
    assert not out.exists()


def test_no_claims_and_bad_arguments_exit_2(tmp_path):
    spec = tmp_path / "none.yaml"
    text = (SPECS / "ridge-diabetes.yaml").read_text()
    head, rest = text.split("claims:\n")
    spec.write_text(head + "claims: []\n" + rest[rest.index("audit:") :])
    assert "no claims at all" in certaudit("verify", spec).stderr
    assert certaudit("verify", spec).returncode == 2
    for arguments in ([], ["verify"], ["unknown"], ["audit", spec, "--shadows", "7"]):
        result = certaudit(*arguments)
        assert result.returncode == 2
        assert "Traceback" not in result.stderr


def test_an_internal_error_is_one_line_and_exit_2(monkeypatch, capsys):
    from certaudit import cli, session

    def broken(*_):
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(session, "verify", broken)
    monkeypatch.delenv("CERTAUDIT_DEBUG", raising=False)
    assert cli.main(["verify", str(SPECS / "ridge-diabetes.yaml")]) == 2
    assert capsys.readouterr().err == "certaudit: internal error: RuntimeError: first second\n"


def test_an_unwritable_report_is_exit_2_and_leaves_nothing(tmp_path):
    target = tmp_path / "missing" / "report.json"
    result = certaudit("verify", SPECS / "ridge-diabetes-refuted.yaml", "--json", target)
    assert result.returncode == 2
    assert str(target) in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_planted_fault_turns_a_proved_claim_into_a_statistical_refutation(monkeypatch, capsys):
    """A proof about the spec says nothing about code that leaves the noise out."""
    from shadow_runs import SilentPhases

    from certaudit import cli
    from certaudit.audit import attack as audit

    real = audit.train

    def faulty(*arguments, **options):
        return real(*arguments, **{**options, "noise": SilentPhases(0, "learn", "unlearn")})

    monkeypatch.setattr(audit, "train", faulty)
    arguments = ["audit", str(SPECS / "ridge-diabetes.yaml"), "--shadows", "400", "--claim", "issued"]
    assert cli.main(arguments) == 1
    printed = capsys.readouterr().out
    begins_and_ends(printed, 1)
    assert "REFUTED STATISTICALLY" in printed
