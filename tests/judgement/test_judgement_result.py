"""One result, whatever the halves say: every combination, and what a user may try to get PASS."""

from dataclasses import replace
from itertools import product

import pytest
from outcomes import (
    ATTACKS,
    CERTIFICATES,
    CODES,
    RUN,
    attacked,
    claim,
    compared,
    outcome,
    report,
    verdict,
)

from certaudit.claims import SensitivityClaim
from certaudit.commands.exits import CODES as EXITS
from certaudit.commands.output import exit_code
from certaudit.judgement.judge import Facts, Scope, Terms, judge
from certaudit.judgement.result import Judgement, Result, overall, worst
from certaudit.report.text import line
from certaudit.verdict import Status

EVERY = list(product(CERTIFICATES, ATTACKS, CODES, (True, False), (True, False)))


def made(case):
    status, attack, code, named, accept = case
    return outcome(status, attack, code, named=named, accept=accept)


@pytest.mark.parametrize("case", EVERY)
def test_pass_needs_every_half(case):
    """PASS exactly where the claim is proved, nothing objects or broke down, and what should have been
    checked was, or is excepted by name."""
    status, attack, code, named, accept = case
    found = made(case)
    objects = status is Status.REFUTED or "refuted" in attack or code == "differs"
    unchecked = attack == "skipped" or (named and code in ("none", "skipped", "empty"))
    broken = attack == "broken"
    if objects:
        expected = Result.FAIL
    elif status is not Status.PROVED or broken or (unchecked and not accept):
        expected = Result.OPEN
    else:
        expected = Result.PASS
    assert found.result is expected
    assert bool(found.judgement.exceptions) == (accept and unchecked)
    assert found.refuted == objects
    assert not (found.proved and found.refuted)
    assert found.proved == (expected is Result.PASS and not unchecked)
    assert exit_code([found]) == EXITS[expected]
    if found.judgement.exceptions and expected is Result.PASS:
        assert "EXCEPT" in found.judgement.reason


@pytest.mark.parametrize("case", EVERY)
def test_accepting_never_turns_an_objection_or_a_missing_proof_into_pass(case):
    status, attack, code, named, _ = case
    without = outcome(status, attack, code, named=named)
    given = outcome(status, attack, code, named=named, accept=True)
    if without.result is Result.FAIL:
        assert given.result is Result.FAIL
    if given.result is Result.PASS:
        assert status is Status.PROVED


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("policies", [(), ({"power": {"epsilon": 2}},), ({"power": {"mu": 2}},)])
def test_without_dynamics_nothing_is_proved_and_only_a_policy_lets_pass(attack, policies):
    found = outcome(
        Status.NOT_STATED, attack, "none", named=True, stated=False, accept=True, policies=policies
    )
    assert not found.proved
    assert found.refuted == ("refuted" in attack)
    enough = attack == "quiet" and policies == ({"power": {"epsilon": 2}},)
    assert (found.result is Result.PASS) == enough
    assert (found.result is Result.FAIL) == ("refuted" in attack)
    if enough:
        assert "nothing is proved" in found.judgement.reason
        assert "could have seen a true ε of 1.5 or more" in found.judgement.reason


def test_a_reference_that_goes_through_the_same_code_is_excepted_or_open():
    enough = ({"power": {"epsilon": 2}},)
    none = {"named": True, "stated": False, "policies": enough}
    assert outcome(Status.NOT_STATED, **none).result is Result.OPEN
    retrained = replace(RUN, reference=replace(RUN.reference, kind="retrained"))
    assert outcome(Status.NOT_STATED, run=retrained, **none).result is Result.PASS


def test_the_reason_of_an_unchecked_implementation_says_what_the_attack_could_have_seen():
    reason = outcome(code="skipped", named=True).judgement.reason
    assert "not compared with the spec: the exact law is not known" in reason
    assert "by the attack alone, this audit could have seen a true ε of 1.5 or more" in reason
    assert "between 0.5 and 1.5 it was blind" in reason


def test_a_difference_is_the_reason_on_the_line():
    found = outcome(code="differs", named=True)
    said = line(found.judgement, exit_code([found]))
    assert said == (
        "RESULT: FAIL – the implementation differs from the spec: noise scale, world P: the noise is "
        "0.5 times what it should be (exit 1)"
    )


def test_without_an_implementation_the_report_says_whose_dynamics_were_attacked():
    assert "only certaudit's own dynamics were attacked" in outcome(code="agrees").judgement.reason


def test_verify_says_that_only_the_certificate_was_checked():
    reason = outcome(attack="none").judgement.reason
    assert "only the certificate was checked: nothing was attacked, no code was run" in reason


def test_a_blind_attack_is_named_beside_pass():
    found = outcome(attack="blind")
    assert found.result is Result.PASS
    assert "too small an audit to object to issued" in found.judgement.reason


def test_claims_left_out_are_named():
    assert "3 other claims of the spec not asked for" in outcome(left_out=3).judgement.reason
    assert (
        "1 other claim of the spec not asked for" in outcome(code="differs", left_out=1).judgement.reason
    )


SIDES = [
    (claim(after=1), RUN, "after stage 1 were not compared"),
    (claim(after=2), RUN, ""),
    (SensitivityClaim("issued", 2, 1, 0), RUN, "iterates of the code are not seen"),
    (claim(), replace(RUN, release="every-step"), "only the final models are seen"),
]


@pytest.mark.parametrize(("one", "run", "why"), SIDES)
def test_models_that_were_not_compared_are_not_spoken_for(one, run, why):
    """Conformance looks at the models released last: it says nothing of earlier stages, of steps, or of
    iterates that an observer sees."""
    found = outcome(code="agrees", named=True, one=one, run=run)
    assert found.result is (Result.OPEN if why else Result.PASS)
    assert why in found.judgement.reason
    assert outcome(code="differs", named=True, one=one, run=run).result is Result.FAIL


def test_no_claims_are_an_error_and_so_is_nothing_at_all():
    nothing = judge(Facts((), (), (), 6, ()), Scope(False, True, True), Terms((), True))
    assert nothing.result is Result.ERROR
    assert worst([]) is Result.ERROR
    assert exit_code([]) == 2


@pytest.mark.parametrize("results", list(product(Result, repeat=3)))
def test_the_worst_of_several_reports_is_the_result(results):
    order = [Result.FAIL, Result.ERROR, Result.OPEN, Result.PASS]
    judged = [(f"spec{k}", Judgement(one, f"reason{k}")) for k, one in enumerate(results)]
    found = overall(judged)
    assert found.result is min(results, key=order.index)
    for k, one in enumerate(results):
        assert (f"spec{k}: reason{k}" in found.reason) == (one is found.result)


def policy(*policies, **changes):
    return outcome(policies=policies, **changes)


POLICIES = [
    ({"power": {"epsilon": 1}}, {}, Result.OPEN),
    ({"power": {"epsilon": "1.5"}}, {}, Result.PASS),
    ({"power": {"epsilon": 9}}, {"attack": "blind"}, Result.OPEN),
    ({"power": {"epsilon": 9}}, {"attack": "skipped", "accept": True}, Result.OPEN),
    ({"power": {"epsilon": 9}}, {"attack": "none"}, Result.OPEN),
    ({"power": {"epsilon": 9}}, {"smallest": float("inf")}, Result.OPEN),
    ({"measured": {"epsilon": "0.2"}}, {"bound": 0.3}, Result.FAIL),
    ({"measured": {"epsilon": "0.3"}}, {"bound": 0.2}, Result.PASS),
    ({"measured": {"epsilon": "0.3"}}, {"attack": "skipped", "accept": True}, Result.OPEN),
    ({"measured": {"epsilon": "0.3"}}, {"bound": float("nan")}, Result.FAIL),
    ({"conformance": "required"}, {}, Result.OPEN),
    ({"conformance": "required"}, {"named": True, "code": "agrees"}, Result.PASS),
    ({"conformance": "required"}, {"named": True, "code": "skipped", "accept": True}, Result.OPEN),
    ({"conformance": "not-required"}, {"named": True, "code": "skipped"}, Result.PASS),
    ({"conformance": "not-required"}, {"named": True, "code": "differs"}, Result.FAIL),
    ({"conformance": "not-required"}, {"attack": "skipped"}, Result.OPEN),
    ({"delta": "below 1/n"}, {}, Result.PASS),
    ({"delta": "below 1/n"}, {"one": claim(delta=verdict(Status.PROVED).claim.delta * 17)}, Result.FAIL),
    ({"assumptions": []}, {}, Result.PASS),
    ({"assumptions": []}, {"run": replace(RUN, assumptions=("the data are public",))}, Result.FAIL),
    (
        {"assumptions": ["the data are..."]},
        {"run": replace(RUN, assumptions=("the data are public",))},
        Result.PASS,
    ),
    (
        {"assumptions": ["the data are"]},
        {"run": replace(RUN, assumptions=("the data are public",))},
        Result.FAIL,
    ),
]


@pytest.mark.parametrize(("required", "changes", "expected"), POLICIES)
def test_a_policy_is_met_or_named(required, changes, expected):
    found = policy(required, **changes)
    assert found.result is expected, found.judgement
    if expected is not Result.PASS and "differs" not in changes.values():
        assert "the policy: " in found.judgement.reason or changes.get("attack") == "skipped"


def test_policies_add_up():
    """A lax policy of a spec does not weaken the auditor's own, nor the other way round."""
    lax, strict = {"conformance": "not-required"}, {"power": {"epsilon": 9}}
    unchecked = {"named": True, "code": "skipped"}
    assert policy(lax, **unchecked).result is Result.PASS
    assert policy(lax, strict, **unchecked).result is Result.OPEN
    assert policy(strict, lax, **unchecked).result is Result.OPEN
    assert policy({"power": {"epsilon": 9}}, {"power": {"epsilon": 1}}).result is Result.OPEN


def test_a_waiver_is_named_as_an_exception():
    found = policy({"conformance": "not-required"}, named=True, code="skipped")
    (exception,) = found.judgement.exceptions
    assert "let pass by the policy" in exception
    assert "EXCEPT" in found.judgement.reason
    assert not found.proved


def test_one_of_two_claims_that_fails_fails_the_report():
    found = outcome()
    claims = (claim("good"), claim("bad"))
    both = replace(
        found,
        verdicts=tuple(
            verdict(s, c) for s, c in zip((Status.PROVED, Status.REFUTED), claims, strict=True)
        ),
        audit=report("quiet", [attacked("quiet", "good"), attacked("quiet", "bad")]),
        conformance=compared("agrees"),
    )
    assert both.result is Result.FAIL
    assert both.judgement.reason == "claim bad is refuted by proof"
