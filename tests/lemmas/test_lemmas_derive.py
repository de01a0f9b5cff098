"""The derivation that `derive` prints: lemmas, formulas, numbers put into them."""

import json
from functools import cache
from pathlib import Path

import pytest
import sympy as sp
from flint import acb, arb

from certaudit import session
from certaudit.core.balls import precision
from certaudit.core.term import Formula, indexed, symbol, symbols, total
from certaudit.lemmas.catalogue import of_rule
from certaudit.lemmas.terms import latex, symbols_of, to_sympy
from certaudit.report.derivation import brief, reachable, short, substituted, to_data, to_text
from certaudit.report.text import derivations

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
def text(name, *, tex=False):
    return "\n".join(derivations(outcome(name), latex=tex))


def lines(name):
    """(proof, line) of every line of every verdict and bound, each once."""
    found = {}
    for verdict in outcome(name).verdicts:
        roots = [*verdict.decided_by, *(line for bound in verdict.bounds for line in bound.lines)]
        found |= {id(line): (verdict.proof, line) for line in reachable(verdict.proof, roots)}
    return list(found.values())


@pytest.mark.parametrize("name", CHOSEN)
def test_every_line_has_lemmas(name):
    for proof, line in lines(name):
        assert of_rule(line.rule, proof.run), line.rule


@pytest.mark.parametrize("name", CHOSEN)
def test_the_numbers_printed_in_a_formula_give_its_enclosure(name):
    compared = 0
    with precision(320):
        for _, line in lines(name):
            for formula, values in line.conclusion.shown:
                put = substituted(formula, values)
                left = [] if put is None else symbols_of(put.right)
                if put is None or not all(one.name.strip("()")[-1:].isdigit() for one in left):
                    continue
                numbers = {one: sp.Float(one.name.strip("()"), 30) for one in left}
                value = formula.at(values)
                if isinstance(value, arb) and value.is_finite():
                    assert _near(put.right, numbers, value), (str(put), value)
                    compared += 1
    assert compared >= 6


def _near(right, numbers, value):
    """Whether rounding the numbers to 6 digits explains the difference from the value."""
    found = sp.N(to_sympy(right, numbers), 30)
    moved = [{**numbers, one: number * sp.Float("1.00001", 30)} for one, number in numbers.items()]
    slack = sum(abs(sp.N(to_sympy(right, other), 30) - found) for other in moved)
    exact = sp.Float(value.mid().str(30, radius=False), 30)
    return abs(found - exact) <= slack + 1e-9 * abs(exact)


def test_a_lemma_is_stated_once_and_named_again():
    found = text("ridge-diabetes")
    assert found.count("lemma       contraction-at-an-end:") == 1
    assert found.count("contraction-at-an-end") > 1
    for word in (
        "ridge-slope",
        "gradient-difference",
        "residual-tail",
        "block-of-equal-steps",
        "moment-function",
        "substitute",
        "enclosure",
        "premise",
        "witness",
    ):
        assert word in found


def test_a_line_is_printed_once():
    heads = [one for one in text("ridge-diabetes").splitlines() if one.startswith("[")]
    assert len(set(heads)) == len(heads) > 10
    verdict, told = outcome("ridge-diabetes").verdicts[0], set()
    assert len(list(to_text(verdict.proof, verdict.decided_by, told=told))) > 100
    again = list(to_text(verdict.proof, verdict.decided_by, told=told))
    numbers = ", ".join(f"[{line.number}]" for line in verdict.decided_by)
    assert again == [f"      rests on {numbers} (above)", ""]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ridge-diabetes", ["loss(u) = (u - y)^2/2", "loss'(u) = u - y", "(eta/N) sum over F"]),
        ("logistic-premise-failed", ["log(1 + exp(-y*u))", "with lambda w, cut to norm 1"]),
        ("huber-diabetes", ["(u - y)^2/2 up to |u - y| = k", "loss'(u) = max(-k, min(k, u - y))"]),
        ("softmax-iris", ["log(sum of exp(u)) - u_y", "x (p - e_y)^T"]),
    ],
)
def test_the_opening_shows_the_loss_and_its_gradient(name, expected):
    start = "\n".join(text(name).splitlines()[:10])
    for part in expected:
        assert part in start


def test_latex_has_no_plain_text_formulas():
    found = text("softmax-iris", tex=True).splitlines()
    formulas = [one for one in found if one.strip().startswith(("statement", "substitute"))]
    assert formulas
    assert not any("*" in one or "sqrt(" in one.replace("\\sqrt", "") for one in formulas)
    assert any("\\frac" in one for one in formulas)


def test_lemmas_of_other_losses_and_options_are_left_out():
    assert "softmax-gradient" in text("softmax-iris")
    for other in (
        "huber-slope",
        "logistic-slope",
        "clip-keeps-convexity",
        "gradient-difference-current",
    ):
        assert other not in text("softmax-iris")


@pytest.mark.parametrize("name", CHOSEN)
def test_the_data_are_json_and_use_earlier_lines(name):
    for verdict in outcome(name).verdicts:
        data = json.loads(json.dumps(to_data(verdict.proof, verdict.decided_by)))
        numbers = [one["line"] for one in data]
        for one in data:
            assert all(use in numbers and use < one["line"] for use in one["uses"])
            assert one["statement"]
        text_lines = list(to_text(verdict.proof, verdict.decided_by))
        assert [one for one in text_lines if one.startswith("[")] == [
            one for one in text_lines if any(one.startswith(f"[{k}] ") for k in numbers)
        ]


@pytest.mark.parametrize(
    ("number", "expected"),
    [("0.05", "0.05"), ("442", "442"), ("-0.5", "(-0.5)"), ("1.5e-9", "1.5e-9"), ("0", "0")],
)
def test_short_numbers(number, expected):
    assert short(arb(number)) == expected


a, b, s = symbols("a b_1 s")
x = indexed("x")


@pytest.mark.parametrize(
    ("formula", "values", "plain", "tex"),
    [
        (a * b, {a: arb(-2), b: arb(3)}, "(-2)*3", r"(-2) \cdot 3"),
        (a**2 / b, {a: arb(-2)}, "(-2)^2/b_1", r"\frac{{(-2)}^{2}}{b_{1}}"),
        (a * total(x), {a: arb(2), x: [arb(3), arb(4)]}, "2*(3 + 4)", r"2 \, \left(3 + 4\right)"),
        (total(x), {x: [arb(k) for k in range(9)]}, None, None),
        (a + s, {s: acb(1, 2)}, "a + (1 + 2i)", r"a + (1 + 2i)"),
    ],
)
def test_numbers_put_in(formula, values, plain, tex):
    put = substituted(Formula(symbol("y"), formula), values)
    assert (put and str(put.right)) == plain
    assert (put and latex(put.right)) == tex


def test_brief_values():
    assert brief(tuple(map(arb, range(9)))) == "0, ..., 8.00000000000000 (9 values)"
    assert brief(((1.0, 2.0),) * 7) == "7 x 2 table"
    assert brief(((1, 2), (3,))) == "((1, 2), (3))"
    assert brief("text") == "text"
