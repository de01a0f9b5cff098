"""The derivation that `derive` prints: lemmas, numbers put into formulas, pools."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from flint import arb

from certaudit import session
from certaudit.kernel.balls import precision
from certaudit.lemmas.catalogue import DEFINITIONS, of_rule
from certaudit.report.derivation import ordered, to_text
from certaudit.report.pools import blocks, pools
from certaudit.report.substitution import SOURCES, short, substitutions
from certaudit.report.text import derivations
from certaudit.run import Run

SPECS = Path(__file__).parents[2] / "specs"
CHOSEN = [
    "ridge-diabetes",
    "logistic-noisy-sgd",
    "logistic-premise-failed",
    "huber-diabetes",
    "softmax-iris",
]


@cache
def outcome(name):
    (case,) = session.load([SPECS / f"{name}.yaml"])
    return session.verify(case)


@cache
def statements(name):
    roots = []
    for verdict in outcome(name).verdicts:
        roots += [] if verdict.proof is None else [verdict.proof]
        for bound in verdict.bounds:
            roots += bound.statements
    return ordered(roots)


@pytest.mark.parametrize("name", CHOSEN)
def test_every_step_has_lemmas_or_is_a_definition(name):
    for step in statements(name):
        run = step.subject if isinstance(step.subject, Run) else None
        assert bool(of_rule(step.rule.id, run)) != (step.rule.id in DEFINITIONS), step.rule.id


@pytest.mark.parametrize("name", CHOSEN)
def test_numbers_put_into_the_formulas_give_the_enclosures(name):
    compared = 0
    with precision(320):
        for step in statements(name):
            for put in substitutions(step):
                stated = step.values.get(str(put.left))
                if put.value is None or stated is None:
                    continue
                choices = stated if isinstance(stated, tuple) else (stated,)
                if step.rule.id == "C5" and not step.uses[0].ball("delta").is_zero():
                    choices = (stated - step.uses[0].ball("delta"),)
                width = arb(10) ** -9 * abs(put.value) + arb(10) ** -40
                assert any(abs(put.value - choice) < width for choice in choices), (
                    step.rule.id,
                    put.left,
                )
                compared += 1
    assert compared >= 6


@pytest.mark.parametrize("name", CHOSEN)
def test_pools_add_up_to_the_energy_stated(name):
    steps = [step for step in statements(name) if step.rule.id == "I1"]
    assert steps
    with precision(320):
        for step in steps:
            found = pools(blocks(step))
            energy = sum((pool.energy for pool in found), arb(0))
            stated = step.ball("mu_squared")
            assert abs(energy - stated) <= arb(10) ** -30 * stated
            assert all(a.last + 1 == b.first for a, b in pairwise(found))


def test_a_lemma_is_stated_once_and_named_again():
    text = "\n".join(derivations(outcome("ridge-diabetes")))
    assert text.count("lemma       contraction-at-an-end:") == 1
    assert text.count("contraction-at-an-end") > 1
    for word in (
        "ridge-slope",
        "gradient-difference",
        "residual-tail",
        "pooled-block",
        "substitute",
        "enclosure",
    ):
        assert word in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ridge-diabetes", ["loss(u) = (u - y)**2/2", "loss'(u) = u - y", "(eta/N) sum over F"]),
        ("logistic-premise-failed", ["log(1 + exp(-u*y))", "with lambda w, cut to norm 1"]),
        ("huber-diabetes", ["Piecewise((-k**2/2 - k*(u - y), k < -u + y)"]),
        ("softmax-iris", ["log(Sum(exp(u[j]), (j, 0, K - 1))) - u[y]", "x (p - e_y)^T"]),
    ],
)
def test_the_opening_shows_the_loss_and_its_gradient(name, expected):
    text = "\n".join(list(derivations(outcome(name)))[:10])
    for part in expected:
        assert part in text


def test_latex_has_no_plain_python_powers():
    lines = "\n".join(derivations(outcome("softmax-iris"), latex=True)).splitlines()
    formulas = [line for line in lines if line.strip().startswith(("statement", "substitute"))]
    assert formulas
    assert not any("**" in line or "sqrt(" in line for line in formulas)
    assert any("\\frac" in line for line in formulas)


def test_lemmas_of_other_losses_and_options_are_left_out():
    text = "\n".join(line for step in statements("softmax-iris") for line in to_text([step]))
    assert "softmax-gradient" in text
    for other in (
        "huber-slope",
        "logistic-slope",
        "clip-keeps-convexity",
        "gradient-difference-current",
    ):
        assert other not in text


def test_every_source_of_numbers_is_of_a_rule_with_lemmas():
    assert not [rule for rule in SOURCES if rule in DEFINITIONS]


@pytest.mark.parametrize(
    ("number", "text"), [("0.05", "0.05"), ("442", "442"), ("-0.5", "(-0.5)"), ("1.5e-9", "1.5e-9")]
)
def test_short_numbers(number, text):
    assert short(arb(number)) == text
