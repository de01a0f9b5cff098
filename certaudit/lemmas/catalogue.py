"""The lemmas of a rule, found by its name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from certaudit.lemmas.lemma import Lemma
from certaudit.run import Run


def of_rule(rule: str, run: Run) -> tuple[Lemma, ...]:
    """The lemmas behind a rule that matter to the run, those on its loss's facts first."""
    module = module_of(rule)
    if module is None:
        return ()
    facts = set(getattr(module, "FACTS", ()))
    loss = _loss(run.loss) if facts else ()
    own: tuple[Lemma, ...] = module.LEMMAS
    return tuple(
        lemma for lemma in (*(one for one in loss if facts & set(one.facts)), *own) if lemma.about(run)
    )


@cache
def module_of(rule: str) -> ModuleType | None:
    """The module of a rule's lemmas, named as the rule's own; None if there is none."""
    name = f"certaudit.lemmas.{rule.lower().replace('-', '_')}"
    return None if find_spec(name) is None else import_module(name)


@cache
def _loss(name: str) -> tuple[Lemma, ...]:
    path = f"certaudit.lemmas.losses.{name}"
    found: tuple[Lemma, ...] = () if find_spec(path) is None else import_module(path).LEMMAS
    return found
