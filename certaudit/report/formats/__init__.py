"""Report formats: one module each, found by name: ``SUFFIX``, ``render(outcomes, exit_code)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from certaudit.session import Outcome


@dataclass(frozen=True)
class Format:
    """A file suffix, and what writes the report of one command as text."""

    suffix: str
    render: Callable[[Sequence[Outcome], int], str]


def _found() -> Mapping[str, Format]:
    modules = {m.name: import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)}
    return {name: Format(module.SUFFIX, module.render) for name, module in modules.items()}


FORMATS = _found()
