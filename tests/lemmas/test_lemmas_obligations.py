"""Every formula of the core has a lemma, every obligation discharges, none does for another formula."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from lemma_modules import FORMULAS, LEMMAS, OBLIGATIONS, OF_LOSSES, OWN, behind, patched

from certaudit.core.rules import RULES
from certaudit.core.term import Formula, Term, term
from certaudit.lemmas.catalogue import module_of
from certaudit.lemmas.lemma import Obligation, holds
from certaudit.losses import LOSSES

FACTS = ("curvature", "slope", "slope_bound", "confined_slope", "third")
KNOWN = [
    (loss.name, fact) for loss in LOSSES.values() for fact in FACTS if getattr(loss, fact) is not None
]
x, y = sp.symbols("x y", real=True)
a, b = sp.symbols("a b", positive=True)


@pytest.mark.parametrize(
    "obligation", [pytest.param(one, id=f"{lemma.id}: {one.text}") for lemma, one in OBLIGATIONS]
)
def test_obligation_discharges(obligation):
    assert obligation.discharge()


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_lemmas_in_a_module_of_its_name(rule):
    module = module_of(rule)
    assert module is not None
    assert module.LEMMAS
    assert set(getattr(module, "FACTS", ())) <= set(FACTS)


def test_every_module_of_lemmas_is_of_a_rule_or_of_shared_formulas():
    named = {rule.lower().replace("-", "_") for rule in RULES}
    shared = {"affine", "path", "slope", "shifts", "gaussian", "diagonal", "conversion"}
    assert set(OWN) == named | shared | {"terms", "lemma", "catalogue"}


def test_lemmas_are_well_formed():
    identifiers = [lemma.id for lemma in LEMMAS]
    assert len(set(identifiers)) == len(identifiers)
    for lemma in LEMMAS:
        assert lemma.obligations, lemma.id
        assert len({one.text for one in lemma.obligations}) == len(lemma.obligations), lemma.id


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_an_altered_formula_leaves_an_obligation_undischarged(name, monkeypatch):
    formula = FORMULAS[name]
    altered = Formula(formula.left, 2 * formula.right if formula.right != term(0) else term(1))
    assert not _all_discharge(behind(formula), monkeypatch, formula, altered)


def _leaves(one):
    """Every term with one number of ``one`` larger by 1."""
    if one.op == "number":
        yield term(one.number + 1)
    for k, part in enumerate(one.args):
        for other in _leaves(part):
            yield Term(one.op, (*one.args[:k], other, *one.args[k + 1 :]), one.name, one.number)


NUMBERED = {
    f"{name}: {altered}": (formula, altered)
    for name, formula in FORMULAS.items()
    for altered in (Formula(formula.left, right, formula.relation) for right in _leaves(formula.right))
}


@pytest.mark.statistics
@pytest.mark.parametrize("name", sorted(NUMBERED))
def test_no_number_of_a_formula_can_be_another(name, monkeypatch):
    formula, altered = NUMBERED[name]
    assert not _all_discharge(behind(formula), monkeypatch, formula, altered)


def _all_discharge(found, monkeypatch, old, new):
    assert found, "no lemma states it"
    patched(monkeypatch, old, new)
    return all(_discharges(one) for lemma in found for one in lemma.obligations)


def _discharges(one):
    try:
        return one.discharge()
    except (TypeError, ValueError, NotImplementedError, ZeroDivisionError):
        return False


@pytest.mark.parametrize(("name", "fact"), KNOWN)
def test_every_fact_of_a_loss_has_a_lemma_that_fails_for_another(name, fact, monkeypatch):
    module = OF_LOSSES[name]
    found = [lemma for lemma in module.LEMMAS if fact in lemma.facts]
    loss = module.LOSS
    value = getattr(loss, fact)
    twice = value * 2 if isinstance(value, Fraction) else 2 * value
    assert not _all_discharge(found, monkeypatch, loss, replace(loss, **{fact: twice}))


FALSE = [
    x - y,
    (x + y) ** 2 - x**2 - y**2,
    sp.sqrt(x**2) - x,
    sp.log(x * y) - sp.log(x) - sp.log(y),
    sp.exp(a) - 1 - a,
    sp.Matrix([0, x]),
    sp.MatrixSymbol("M", 2, 2) * sp.MatrixSymbol("N", 2, 2)
    - sp.MatrixSymbol("N", 2, 2) * sp.MatrixSymbol("M", 2, 2),
    x > 0,
    a - b > 0,
    x**2 > 0,
    -(a**2) >= 0,
    sp.Abs(x) - 1 >= 0,
    False,
    sp.false,
    sp.Float(1e-30),
]


@pytest.mark.parametrize("claim", FALSE, ids=str)
def test_a_false_obligation_does_not_discharge(claim):
    assert not Obligation("false", lambda: claim).discharge()


@pytest.mark.parametrize(
    "claim",
    [
        (x + y) ** 2 - x**2 - 2 * x * y - y**2,
        x**2 + y**2 >= 0,
        a + b > 0,
        sp.zeros(2, 1),
        sp.log(a * b) - sp.log(a) - sp.log(b),
    ],
    ids=str,
)
def test_a_true_one_does(claim):
    assert holds(claim)


def test_the_rest_of_the_program_does_not_load_the_lemmas():
    code = "import sys, certaudit.cli; print(any(m.startswith('certaudit.lemmas') for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
