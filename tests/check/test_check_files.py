"""Files: what is accepted, rejected and refused, and what the command says."""

import json
import random
from pathlib import Path

import pytest
from check_samples import proved, renyi, run

from certaudit import cli, session
from certaudit.check.checker import Checker
from certaudit.check.document import MOST_BYTES, read, seal
from certaudit.errors import InputError
from certaudit.report import saved

SPECS = Path(__file__).parents[2] / "specs"
LONG = ("ridge-digits", "logistic-breast-cancer", "logistic-output-noise", "ridge-calibration-leak")
NAMES = [path.stem for path in sorted(SPECS.glob("*.yaml"))]


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.statistics] if n in LONG else []) for n in NAMES],
)
def test_derivations_of_specs(name, tmp_path, capsys):
    file = tmp_path / "derivation.json"
    cli.main(["derive", str(SPECS / f"{name}.yaml"), "--save", str(file)])
    capsys.readouterr()
    code = cli.main(["check", str(file), "--spec", str(SPECS / f"{name}.yaml")])
    lines = capsys.readouterr().out.splitlines()
    if name in ("logistic-premise-failed", "digits-cnn-finetune"):
        assert code == 1
        assert lines[-2].endswith("claims: none: the file proves nothing")
    else:
        assert code == 0, lines
        assert lines[-1] == f"{file}: accepted"


@pytest.fixture(scope="module")
def content():
    return json.loads(json.dumps(proved(run(), renyi())))


def test_spaces_and_key_order_do_not_matter(content, tmp_path):
    def shuffled(node):
        if isinstance(node, dict):
            keys = list(node)
            random.Random(3).shuffle(keys)
            return {key: shuffled(node[key]) for key in keys}
        return [shuffled(one) for one in node] if isinstance(node, list) else node

    file = tmp_path / "d.json"
    file.write_text(json.dumps(shuffled(content), indent=7))
    assert Checker().check(read(file)).accepted


def test_a_file_of_another_spec_is_rejected(content, tmp_path, capsys):
    file = tmp_path / "d.json"
    file.write_text(json.dumps(content))
    assert cli.main(["check", str(file)]) == 0
    assert "no --spec given" in capsys.readouterr().out
    assert cli.main(["check", str(file), "--spec", str(SPECS / "softmax-iris.yaml")]) == 1
    out = capsys.readouterr().out
    assert "run.X: not what the spec says" in out
    assert out.splitlines()[-1].endswith("REJECTED")


def test_a_broken_seal_says_so(content, tmp_path, capsys):
    file = tmp_path / "d.json"
    file.write_text(json.dumps({**content, "certaudit": content["certaudit"], "sha256": "0" * 64}))
    assert cli.main(["check", str(file)]) == 1
    assert "the seal is broken" in capsys.readouterr().out


HEAD = '{"format": "certaudit derivation 1", '
BAD = {
    "": "not a derivation",
    "[]": "its format is not",
    '{"format": "certaudit derivation 2"}': "its format is not",
    HEAD + '"x": NaN}': "NaN is no number",
    HEAD + '"x": -Infinity}': "-Infinity is no number",
    HEAD + '"x": 1e999}': "out of range",
    HEAD + '"x": 1, "x": 2}': "the key 'x' is repeated",
    "[" * 10**6: "nested too deeply",
    HEAD + '"x": ' + "9" * 10**5 + "}": "not a derivation",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_no_derivation_at_all(text, tmp_path, capsys):
    file = tmp_path / "d.json"
    file.write_text(text)
    assert cli.main(["check", str(file)]) == 2
    error = capsys.readouterr().err
    assert BAD[text] in error
    assert error.count("\n") == 1
    assert len(error) < 500


def test_unreadable_files(tmp_path, capsys):
    binary = tmp_path / "b"
    binary.write_bytes(b"\xff\xfe")
    for file in (tmp_path, tmp_path / "missing", binary):
        assert cli.main(["check", str(file)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_too_large_a_file(tmp_path):
    file = tmp_path / "large"
    with file.open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError, match="larger than 200 MB"):
        read(file)


JUNK = (None, 0, -1, 3.5, True, "", "x", "1/0", "1e999999", [], {}, [[]], {"a": 1}, "[1 +/- 2]", 2**70)


def test_junk_in_any_field_is_rejected_in_words(content):
    """Never an exception, whatever a field holds."""
    checker = Checker()
    places = [(k,) for k in content] + [("run", k) for k in content["run"]]
    places += [("claims", 0, k) for k in content["claims"][0]]
    places += [("steps", 1, k) for k in content["steps"][1]]
    for path in places:
        for junk in JUNK:
            altered = json.loads(json.dumps(content))
            node = altered
            for key in path[:-1]:
                node = node[key]
            same = node[path[-1]] == junk and type(node[path[-1]]) is type(junk)
            node[path[-1]] = junk
            altered["sha256"] = junk if path == ("sha256",) else seal(altered)
            report = checker.check(altered)
            harmless = same or path in (("run", "assumptions"), ("claims", 0, "theorem"))
            assert harmless or not report.accepted, (path, junk)
            assert all(len(reason) < 500 and "\n" not in reason for reason in report.reasons)


def test_the_checker_imports_nothing_of_the_prover():
    import subprocess
    import sys

    program = (
        "import certaudit.check.checker, sys;"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('flint', 'sympy', 'scipy', 'torch')"
        " or m.startswith('certaudit.') and m.split('.')[1] not in ('check', 'errors')];"
        "print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_claim_about_one_step_rests_on_statements_about_that_step():
    (case,) = session.load([SPECS / "ridge-diabetes.yaml"], "sensitivity")
    content = json.loads(json.dumps(saved.document(session.verify(case))))
    (claim,) = content["claims"]
    for step, accepted in ((10, True), (11, False)):
        content["claims"] = [{**claim, "step": step}]
        content["sha256"] = seal(content)
        assert Checker().check(content).accepted is accepted


def test_claims_of_the_spec_that_a_file_leaves_out_are_named(tmp_path, capsys):
    file, spec = tmp_path / "d.json", str(SPECS / "ridge-diabetes.yaml")
    cli.main(["derive", spec, "--claim", "renyi", "--save", str(file)])
    capsys.readouterr()
    assert cli.main(["check", str(file), "--spec", spec]) == 0
    lines = capsys.readouterr().out.splitlines()
    left_out = [line for line in lines if line.endswith("of the spec is not decided by this file")]
    assert len(left_out) == 3
