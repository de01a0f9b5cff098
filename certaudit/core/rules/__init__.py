"""One module a rule, named after it; each holds ``RULE``.  ``RULES`` finds them all by name."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from certaudit.core.rule import Registry


def _found() -> Registry:
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    rules = [module.RULE for module in modules]
    return {rule.id: rule for rule in rules}


RULES = _found()
