"""What a user of the command may try to get PASS for something wrong.

Seeds are fixed; an honest audit with another seed would object with probability at most 0.05.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from certaudit import cli, session
from certaudit.judgement.judge import Terms
from certaudit.judgement.result import Result

CODE = Path(__file__).parents[1] / "audit" / "implementations" / "foreign_code.py"
MORE = """

def unlearn_at_random(parameters, X, y, forget, seed):
    return np.random.default_rng(seed).normal(size=len(parameters))


def learn_with_half_the_noise(X, y, seed):
    global STD
    STD, kept = STD / 2, STD
    try:
        return learn(X, y, seed)
    finally:
        STD = kept


def unlearn_with_half_the_noise(parameters, X, y, forget, seed):
    global STD
    STD, kept = STD / 2, STD
    try:
        return unlearn(parameters, X, y, forget, seed)
    finally:
        STD = kept


def refuses(parameters, X, y, forget, seed):
    raise RuntimeError("not today")
"""
HEAD = """certaudit: 1
name: foreign
data: {{source: "npz:data.npz"}}
forget: [4]
reference: {reference}
claims:
  - {{id: issued, epsilon: {epsilon}, delta: 0.001}}
implementation: {{learn: "foreign_more:{learn}", unlearn: "foreign_more:{unlearner}"}}
audit: {{shadows: 64}}
"""
DYNAMICS = """model: {{loss: {loss}, l2: 0.2, normalizer: current}}
learn: {{steps: 30, step_size: 1, noise: {{std: 0.1}}, start: zeros}}
unlearn: {{steps: 6, step_size: 1, noise: {{std: 0.1}}}}
"""


@pytest.fixture
def spec(tmp_path):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(12, 3)) / 2
    y = X @ [1.0, -1.0, 0.5] + 0.1 * rng.normal(size=12)
    X[4], y[4] = [1.5, 1.5, 1.5], -4.0
    np.savez(tmp_path / "data.npz", X=X, y=y)
    np.savez(tmp_path / "signs.npz", X=X / 3, y=np.where(y > 0, 1.0, -1.0))
    shutil.copy(CODE, tmp_path / "foreign_more.py")
    with open(tmp_path / "foreign_more.py", "a") as module:
        module.write(MORE)

    def write(*lines, loss="ridge", stated=True, **changes):
        values = {"epsilon": 3, "learn": "learn", "unlearner": "unlearn"}
        values["reference"] = "unlearn-retrained" if stated else "retrained"
        values |= changes
        text = HEAD.format(**values) + (DYNAMICS.format(loss=loss) if stated else "dynamics: unknown\n")
        if loss == "logistic":
            text = text.replace("data.npz", "signs.npz")
        path = tmp_path / "spec.yaml"
        path.write_text(text + "".join(f"{line}\n" for line in lines))
        return path

    return write


@pytest.fixture
def audit(capsys):
    """Exit code and reason of an audit; the first line is the last, and says both."""

    def run(path, *more, command="audit", allow=("--allow-code",)):
        code = cli.main([command, str(path), *allow, *map(str, more)])
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == lines[-1]
        word = {0: "PASS", 1: "FAIL", 2: "ERROR", 3: "OPEN"}[code]
        assert lines[0].startswith(f"RESULT: {word} – ")
        assert lines[0].endswith(f" (exit {code})")
        return code, lines

    return run


BAD = ["unlearn_nothing", "unlearn_at_random"]


@pytest.mark.parametrize("loss", ["ridge", "logistic"])
@pytest.mark.parametrize("unlearner", BAD)
def test_code_that_unlearns_nothing_or_returns_random_numbers_never_passes(spec, audit, loss, unlearner):
    code, lines = audit(spec(loss=loss, unlearner=unlearner))
    assert code in (1, 3)
    if loss == "ridge":
        assert code == 1
    if code == 3:
        assert "not compared with the spec" in lines[0]
        assert "could have seen" in lines[0] or "could not have seen" in lines[0]


LEAKS_LITTLE = """

def steps_of_diabetes(w, X, y, count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        w = w - 2.5 * (X.T @ (X @ w - y) / 442 + 0.05 * w) + 0.02 * rng.normal(size=len(w))
    return w


def learn_diabetes(X, y, seed):
    return steps_of_diabetes(np.zeros(X.shape[1]), X, y, 200, seed)


def unlearn_diabetes(parameters, X, y, forget, seed):
    X, y = np.delete(X, forget, axis=0), np.delete(y, forget)
    return steps_of_diabetes(parameters, X, y, 20, seed)


def unlearn_hardly(parameters, X, y, forget, seed):
    return parameters * (1 + 1e-9)
"""


@pytest.fixture
def diabetes(tmp_path):
    """The spec of ridge-diabetes with code beside it that does it, or not."""

    def write(unlearner):
        shutil.copy(CODE, tmp_path / "foreign_little.py")
        with open(tmp_path / "foreign_little.py", "a") as module:
            module.write(LEAKS_LITTLE)
        text = (Path(__file__).parents[2] / "specs" / "ridge-diabetes.yaml").read_text()
        named = f'{{learn: "foreign_little:learn_diabetes", unlearn: "foreign_little:{unlearner}"}}'
        path = tmp_path / "spec.yaml"
        path.write_text(text.replace("claims:", f"implementation: {named}\nclaims:"))
        return path

    return write


@pytest.mark.parametrize(
    ("unlearner", "code"), [("unlearn_nothing", 1), ("unlearn_hardly", 1), ("unlearn_diabetes", 0)]
)
def test_models_before_and_after_show_what_their_laws_do_not(audit, diabetes, unlearner, code):
    """Learning alone leaks so little here that released models look alike, unlearned or not."""
    found, lines = audit(diabetes(unlearner), "--claim", "issued", "--shadows", 64)
    assert found == code, lines[0]
    assert code == 0 or "unlearning, world P" in lines[0]


def test_half_the_noise_is_the_reason_on_the_first_line(spec, audit):
    path = spec(learn="learn_with_half_the_noise", unlearner="unlearn_with_half_the_noise", epsilon=9)
    code, lines = audit(path)
    assert code == 1
    assert "the implementation differs from the spec: " in lines[0]
    assert "noise" in lines[0]
    (row,) = [line for line in lines if line.startswith("issued ")]
    assert row.split()[1] == "PROVED"
    assert "DIFFERS" in row


def test_the_certificate_column_is_about_the_spec_alone(spec, audit, tmp_path):
    audit(spec(unlearner="unlearn_nothing"), "--json", tmp_path / "r.json")
    (report,) = json.loads((tmp_path / "r.json").read_text())["reports"]
    (claim,) = report["claims"]
    assert claim["columns"]["certificate"]["state"] == "holds"
    assert claim["columns"]["code"]["state"] == "breaks"
    assert report["result"] == "FAIL"


def test_checks_say_whether_they_passed_and_what_a_failure_means_only_where_they_failed(
    spec, audit, tmp_path
):
    audit(spec(unlearner="unlearn_nothing"), "--json", tmp_path / "r.json")
    (report,) = json.loads((tmp_path / "r.json").read_text())["reports"]
    checks = report["conformance"]["checks"]
    assert {check["passed"] for check in checks} == {True, False}
    for check in checks:
        assert ("meaning" in check) == (not check["passed"])
        assert check["passed"] == (check["p_value"] > check["threshold"])


def test_an_honest_implementation_passes_and_verify_alone_does_not_say_so(spec, audit):
    path = spec()
    code, lines = audit(path)
    assert code == 0
    assert "the implementation agrees with the spec" in lines[0]
    assert audit(path, command="verify", allow=())[0] == 3
    code, lines = audit(path, "--accept-unchecked", command="verify", allow=())
    assert code == 0
    assert "EXCEPT: claim issued: the implementation was not compared with the spec" in lines[0]
    assert any(line.startswith("EXCEPTION: ") for line in lines)


ACCEPTED = [
    ({"unlearner": "unlearn_nothing"}, 1),
    ({"unlearner": "unlearn_at_random"}, 1),
    ({"unlearner": "refuses"}, 3),
    ({"epsilon": "1e-6"}, 1),
]


@pytest.mark.parametrize(("changes", "code"), ACCEPTED)
def test_accepting_what_is_unchecked_hides_nothing_else(spec, audit, changes, code):
    assert audit(spec(**changes), "--accept-unchecked")[0] == code


def test_an_accepted_audit_without_a_comparison_is_no_plain_pass(diabetes):
    """Iterates of foreign code are not seen: a claim about a step is neither attacked nor compared."""
    (case,) = session.load([diabetes("unlearn_diabetes")], "sensitivity", accept_unchecked=True)
    outcome = session.audit(case, allow_code=True, shadows=64)
    assert outcome.result is Result.PASS
    assert len(outcome.judgement.exceptions) == 2
    assert not outcome.proved
    assert not outcome.refuted
    strict = replace(outcome, case=replace(case, terms=Terms()))
    assert strict.result is Result.OPEN


@pytest.mark.parametrize("design", ["sequential", "fixed"])
def test_too_few_shadows_buy_no_pass(spec, audit, design):
    """Eight models compare hardly anything; a policy on power is what a reader may ask for."""
    path = spec("policy: {power: {epsilon: 5}}")
    code, lines = audit(path, "--shadows", 8, "--design", design)
    assert code == 3
    assert "the spec's policy: claim issued: a true ε of 5 must have been visible" in lines[0]


def test_unknown_dynamics_pass_only_at_a_power_that_a_policy_asks_for(spec, audit, tmp_path):
    path = spec(stated=False)
    code, lines = audit(path)
    assert code == 3
    assert "no policy says what power is enough" in lines[0]
    (tmp_path / "strict.yaml").write_text("power: {epsilon: 4}")
    (tmp_path / "lax.yaml").write_text("power: {epsilon: 40}")
    assert audit(path, "--policy", tmp_path / "strict.yaml")[0] == 3
    code, lines = audit(path, "--policy", tmp_path / "lax.yaml", "--json", tmp_path / "r.json")
    assert code == 0
    assert "no objection, and nothing is proved" in lines[0]
    report = json.loads((tmp_path / "r.json").read_text())["reports"][0]
    assert report["claims"][0]["proved"] is None
    assert report["claims"][0]["derivation"] == []
    assert set(report["run"]) == {"forget", "reference"}
    (row,) = [line for line in lines if line.startswith("issued ")]
    assert row.split()[1:3] == ["NOT", "CHECKED"]


@pytest.mark.parametrize("unlearner", BAD)
def test_without_dynamics_code_that_does_not_unlearn_never_passes(spec, audit, tmp_path, unlearner):
    """Against retrained models they object; a reference that goes through the same `unlearn` hides
    random numbers, and therefore does not pass."""
    (tmp_path / "lax.yaml").write_text("power: {epsilon: 40}")
    hides = spec(stated=False, unlearner=unlearner, reference="unlearn-retrained", epsilon=1)
    code, lines = audit(hides, "--policy", tmp_path / "lax.yaml")
    assert code in (1, 3)
    assert code == 1 or "what it does to both alike is not seen" in lines[0]
    shows = spec(stated=False, unlearner=unlearner, epsilon=1)
    assert audit(shows, "--policy", tmp_path / "lax.yaml", "--shadows", 256)[0] == 1


@pytest.mark.parametrize("command", ["derive", "rank", "calibrate"])
def test_commands_about_dynamics_refuse_a_spec_without(spec, capsys, command):
    more = ["--epsilon", "1", "--delta", "0.1"] if command == "calibrate" else []
    assert cli.main([command, str(spec(stated=False)), *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "dynamics: must be stated" in line


WRONG = [
    ("model: {loss: ridge, l2: 1, normalizer: fixed}", "model", "has no meaning"),
    ("learn: {steps: 3, step_size: 1, noise: {std: 0}}", "learn", "has no meaning"),
    ("output_noise: {std: 1}", "output_noise", "has no meaning"),
    ("release: every-step", "release", "must be final"),
    ("policy: {conformance: required}", "policy.conformance", "has no meaning"),
    ("policy: {}", "policy", "requires nothing"),
    ("policy: {power: {}}", "policy.power", "must name one quantity"),
    ("policy: {power: {epsilon: x}}", "policy.power.epsilon", "must be a number"),
    ("policy: {powr: {epsilon: 1}}", "policy.powr", "did you mean power"),
]


@pytest.mark.parametrize(("line", "key", "text"), WRONG)
def test_keys_that_make_no_sense_are_one_line(spec, audit, capsys, line, key, text):
    path = spec(line, stated=False)
    assert cli.main(["verify", str(path)]) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert f"{key}: " in error
    assert text in error
    assert path.name in error


def test_an_empty_policy_file_is_refused(spec, tmp_path, capsys):
    for text in ("", "{}", "power: {}", "powr: 1", "- 1"):
        (tmp_path / "policy.yaml").write_text(text)
        assert cli.main(["verify", str(spec()), "--policy", str(tmp_path / "policy.yaml")]) == 2
        printed = capsys.readouterr()
        assert printed.out.startswith("RESULT: ERROR – ")
        assert all("policy.yaml" in line for line in printed.err.splitlines())
    assert cli.main(["verify", str(spec()), "--policy", str(tmp_path / "none.yaml")]) == 2


def test_an_error_is_json_where_json_was_asked_for(spec, capsys):
    assert cli.main(["verify", str(spec("extra: 1")), "--json", "-"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["result"], report["exit_code"], report["reports"]) == ("ERROR", 2, [])
    assert "extra" in report["reason"]


def test_seeds_share_the_level_and_the_worst_counts(spec, audit, tmp_path):
    code, lines = audit(spec(), "--seeds", 3, "--shadows", 16, "--json", tmp_path / "r.json")
    assert code == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert [one["audit"]["seed"] for one in report["reports"]] == [0, 1, 2]
    spent = sum(
        1 - one["audit"]["confidence"] + one["conformance"]["level"] for one in report["reports"]
    )
    assert spent == pytest.approx(0.05)
    assert sum("all 3 seeds of this command" in line for line in lines) == 3
    code, lines = audit(spec(unlearner="unlearn_at_random"), "--seeds", 2)
    assert code == 1
    assert "all 2 reports: foreign, seed 0: " in lines[0]


def test_the_level_of_one_seed_is_spent_once(spec, tmp_path, audit):
    audit(spec(), "--json", tmp_path / "r.json")
    (report,) = json.loads((tmp_path / "r.json").read_text())["reports"]
    spent = 1 - report["audit"]["confidence"] + report["conformance"]["level"]
    assert spent == pytest.approx(0.05)
    assert report["audit"]["tests"] * report["audit"]["level"] == pytest.approx(0.04)


def test_a_claim_asked_for_alone_hides_no_other_in_silence(spec, audit):
    path = spec()
    text = path.read_text().replace(
        "implementation:", "  - {id: wrong, epsilon: 1e-6, delta: 0}\nimplementation:"
    )
    path.write_text(text)
    assert audit(path)[0] == 1
    code, lines = audit(path, "--claim", "issued")
    assert code == 0
    assert "1 other claim of the spec not asked for" in lines[0]


def test_the_first_and_last_line_of_several_specs_is_the_worst(spec, audit, tmp_path, capsys):
    good = spec()
    other = tmp_path / "other.yaml"
    other.write_text(good.read_text().replace("epsilon: 3", "epsilon: 1e-6"))
    code = cli.main(["verify", str(good), str(other), "--accept-unchecked"])
    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert lines[0] == lines[-1]
    assert lines[0].startswith("RESULT: FAIL – 1 of 2 reports: ")
