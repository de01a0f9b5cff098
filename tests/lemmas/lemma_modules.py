"""Every lemma, and every formula of the core, with where they stand."""

import importlib
import pkgutil

from certaudit import core, lemmas
from certaudit.core import rules
from certaudit.core.term import Formula
from certaudit.lemmas import losses
from certaudit.search import conversion


def _modules(package):
    names = [module.name for module in pkgutil.iter_modules(package.__path__) if not module.ispkg]
    return {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}


CORE = _modules(core) | _modules(rules)
OWN = _modules(lemmas)
OF_LOSSES = _modules(losses)
HOLDERS = [*OWN.values(), *OF_LOSSES.values()]
LEMMAS = list({id(one): one for module in HOLDERS for one in getattr(module, "LEMMAS", ())}.values())
OBLIGATIONS = [(lemma, one) for lemma in LEMMAS for one in lemma.obligations]


def _formulas():
    found = {}
    for module in [*CORE.values(), conversion]:
        for name, value in vars(module).items():
            if isinstance(value, Formula) and name.isupper():
                found.setdefault(id(value), (f"{module.__name__}.{name}", value))
    return dict(found.values())


FORMULAS = _formulas()


def patched(monkeypatch, old, new):
    """Puts ``new`` in the place of ``old`` in every module that holds it under a name of its own."""
    for module in [*CORE.values(), conversion, *HOLDERS]:
        for name, value in list(vars(module).items()):
            if value is old and name.isupper():
                monkeypatch.setattr(module, name, new)


def behind(formula):
    """The lemmas that state a formula."""
    return [lemma for lemma in LEMMAS if any(one is formula for one in lemma.formulas)]
