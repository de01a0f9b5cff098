"""What `certaudit explain` knows: one module a kind of topic, found by name; each has ``topics()``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from certaudit.explain.topic import Topic


def topics() -> dict[str, Topic]:
    """Every topic by its name, kind after kind."""
    names = [module.name for module in iter_modules(__path__) if module.name != "topic"]
    return {one.name: one for name in names for one in import_module(f"{__name__}.{name}").topics()}


def find(name: str) -> Topic | None:
    """The topic of that name; capitals, spaces and hyphens do not matter."""
    return {_plain(known): one for known, one in topics().items()}.get(_plain(name))


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c not in " -_")
