"""Membership scores, one a module; a module put here is found without being listed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from certaudit.audit.scores.base import Law, Score, Setting

__all__ = ["Law", "Score", "Setting", "applicable", "kinds"]


def kinds() -> Iterator[type[Score]]:
    """Every kind of score in this package, in the order of its modules' names."""
    for found in iter_modules(__path__):
        module = import_module(f"{__name__}.{found.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if (
                kind.__module__ == module.__name__
                and issubclass(kind, Score)
                and not inspect.isabstract(kind)
            ):
                yield kind


def applicable(setting: Setting) -> list[Score]:
    """One score of every kind that the run has."""
    made = (kind.of(setting) for kind in kinds())
    return [score for score in made if score is not None]
