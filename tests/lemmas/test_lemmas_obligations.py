"""Every closed form of the kernel has a lemma, and every obligation of every lemma discharges."""

import importlib
import pkgutil
import subprocess
import sys

import pytest
import sympy as sp

from certaudit import kernel, lemmas
from certaudit.kernel.statement import Rule
from certaudit.lemmas.catalogue import DEFINITIONS, LEMMAS
from certaudit.lemmas.lemma import Obligation, holds

MODULES = {
    name: importlib.import_module(f"certaudit.kernel.{name}")
    for _, name, _ in pkgutil.iter_modules(kernel.__path__)
}
PROOFS = [
    importlib.import_module(f"certaudit.lemmas.{name}")
    for _, name, _ in pkgutil.iter_modules(lemmas.__path__)
]
RULES = {
    one.id: one for module in MODULES.values() for one in vars(module).values() if isinstance(one, Rule)
}
FORMULAS = {
    f"{module_name}.{name}": value
    for module_name, module in MODULES.items()
    for name, value in vars(module).items()
    if isinstance(value, sp.Basic) and name.isupper() and len(name) > 2
    if not isinstance(value, sp.MatrixSymbol | sp.Symbol)
}
x, y = sp.symbols("x y", real=True)
a, b = sp.symbols("a b", positive=True)


@pytest.mark.parametrize(
    "obligation", [pytest.param(o, id=f"{lem.id}: {o.text}") for lem in LEMMAS for o in lem.obligations]
)
def test_obligation_discharges(obligation):
    assert obligation.discharge()


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_lemma_or_is_a_definition(rule):
    assert any(rule in lemma.rules for lemma in LEMMAS) != (rule in DEFINITIONS)


def test_lemmas_are_well_formed():
    identifiers = [lemma.id for lemma in LEMMAS]
    assert len(set(identifiers)) == len(identifiers)
    for lemma in LEMMAS:
        assert lemma.obligations, lemma.id
        assert set(lemma.rules) <= set(RULES), lemma.id
        assert len({o.text for o in lemma.obligations}) == len(lemma.obligations), lemma.id


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


def _altered(formula):
    if isinstance(formula, sp.Eq):
        return sp.Eq(formula.lhs, 2 * formula.rhs, evaluate=False)
    return 2 * formula


@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_an_altered_formula_of_the_kernel_leaves_an_obligation_undischarged(name, monkeypatch):
    formula = FORMULAS[name]
    module = MODULES[name.split(".")[0]]
    for place in (*MODULES.values(), *PROOFS):
        for attribute, value in list(vars(place).items()):
            if value is formula and attribute.isupper():
                monkeypatch.setattr(place, attribute, _altered(formula))
    mine = {one.id for one in vars(module).values() if isinstance(one, Rule)}
    touched = [lem for lem in LEMMAS if mine & set(lem.rules) or not mine]
    assert not all(o.discharge() for lem in touched for o in lem.obligations)


def test_the_rest_of_the_program_does_not_load_the_lemmas():
    code = "import sys, certaudit.cli; print(any(m.startswith('certaudit.lemmas') for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
