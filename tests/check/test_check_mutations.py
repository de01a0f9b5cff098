"""One field of a derivation altered at a time: every altered file is rejected by its seal, and with a
new seal unless what it says is still true."""

import json
from pathlib import Path

import pytest
from check_mutants import mutants
from check_samples import Fr, epsilon, forced, gaussian, proved, renyi, run, sensitivity
from check_truth import prover_agrees

from certaudit import session
from certaudit.check.checker import Checker
from certaudit.check.document import seal
from certaudit.checking import differences
from certaudit.kernel.conversion import hockey_stick_of_gaussian
from certaudit.kernel.iteration import composition
from certaudit.kernel.sensitivity import per_instance
from certaudit.report import saved

SPECS = Path(__file__).parents[2] / "specs"
UNDECIDED = ("logistic-premise-failed", "digits-cnn-finetune")
NAMES = sorted(path.stem for path in SPECS.glob("*.yaml") if path.stem not in UNDECIDED)


def derivation(name):
    (case,) = session.load([SPECS / f"{name}.yaml"])
    return json.loads(json.dumps(saved.document(session.verify(case))))


def stated(content):
    """What a spec says, taken from an unaltered file."""
    claims = {
        claim["id"]: {k: v for k, v in claim.items() if k != "verdict"} for claim in content["claims"]
    }
    return {"spec": content["spec"], "run": content["run"], "claims": claims}


def still_true(one, content):
    """Whether the altered file still says only what is true: words that no proof rests on, the order of
    an infinite divergence, the share of a probability of which nothing is spent, or a run and claims to
    which the prover gives the very same verdicts."""
    match one.path:
        case ("spec", _) | ("run", "assumptions", *_) | ("claims", _, "theorem"):
            return True
        case ("steps", k, "exact", "order"):
            return content["steps"][k]["values"].get("r") == "[+/- inf]"
        case ("steps", k, "exact", "share"):
            return content["steps"][k]["values"].get("delta") == "0"
        case ("run" | "claims", *_):
            return prover_agrees(one.content)
    return False


def count(content, stride):
    """(mutants, accepted with a new seal, those that a comparison with the spec does not reject)."""
    checker, wanted = Checker(), stated(content)
    assert checker.check(content).accepted
    total, passed, silent = 0, 0, []
    for one in mutants(content, stride):
        total += 1
        unsealed = Checker.check(checker, one.content, 1)
        assert not unsealed.accepted, (one.path, one.how)
        assert unsealed.reasons[0].startswith(("sha256", "file.")), unsealed.reasons
        forged = {**one.content, "sha256": seal(one.content)}
        report = checker.check(forged, 1)
        if report.accepted:
            assert still_true(one, content), (one.path, one.how, one.after)
            passed += 1
            if not list(differences(forged, wanted)):
                silent.append(one)
    return total, passed, silent


@pytest.mark.parametrize("loss", ["ridge", "logistic"])
def test_a_small_derivation(loss):
    claims = [epsilon(3000), renyi()] + ([sensitivity()] if loss == "ridge" else [])
    content = json.loads(json.dumps(proved(run(loss), *claims)))
    total, passed, silent = count(content, 3)
    print(f"{loss}: {total} mutants, {passed} accepted, all true; {len(silent)} agree with the spec")
    assert total > 500
    assert not silent
    assert passed < 60


def test_a_derivation_of_a_spec():
    total, passed, silent = count(derivation("softmax-iris"), 40)
    print(
        f"softmax-iris: {total} mutants, {passed} accepted, all true; {len(silent)} agree with the spec"
    )
    assert total > 300
    assert not silent


@pytest.mark.statistics
@pytest.mark.parametrize("name", NAMES)
def test_every_derivation(name):
    total, passed, silent = count(derivation(name), 400 if "digits" in name else 40)
    print(f"{name}: {total} mutants, {passed} accepted, all true; {len(silent)} agree with the spec")
    assert all(one.path[-1] in ("order", "share") for one in silent)


def test_a_verdict_needs_both_directions_and_the_numbers():
    content = json.loads(json.dumps(proved(run(), gaussian(delta="0.01"))))
    for field, value in (("mu", "0"), ("delta", "1e-9")):
        claims = [{**content["claims"][0], field: value}]
        forged = {**content, "claims": claims}
        report = Checker().check({**forged, "sha256": seal(forged)})
        assert any("do not prove the claim" in reason for reason in report.reasons)


def test_a_changed_data_cell_is_refused_by_its_numbers():
    content = json.loads(json.dumps(proved(run(), renyi())))
    content["run"]["X"][2][1] *= 1 + 1e-9
    content["sha256"] = seal(content)
    report = Checker().check(content)
    assert "does not hold the recomputed" in report.reasons[0]


def test_what_every_iterate_shows_bounds_the_final_model_only_if_both_get_the_same_output_noise():
    case = run("logistic")

    def make(evidence):
        return [hockey_stick_of_gaussian(composition(per_instance(evidence.run)), Fr(60))]

    content = json.loads(json.dumps(forced(case, epsilon(60), make)))
    assert any(step["rule"] == "I2" for step in content["steps"])
    assert Checker().check(content).accepted
    content["run"]["reference"]["output_variance"] = "0.5"
    content["sha256"] = seal(content)
    report = Checker().check(content)
    assert any("output noise of the reference" in reason for reason in report.reasons)
