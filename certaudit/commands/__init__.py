"""One module a command, found by name: ``NAME``, ``SUMMARY``, ``arguments(parser)``, ``run(options)``.

``EPILOG``, where a module has one, says its exit codes in place of the usual ones; ``RESULT`` says that
its report begins and ends with a result, so that an error says RESULT: ERROR on stdout as well.  ``run``
returns the exit code and imports late, so that a command loads only what it uses.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

SHARED = ("arguments", "exits", "output")


def commands() -> dict[str, ModuleType]:
    """Every command by its name, in alphabetical order."""
    names = [module.name for module in iter_modules(__path__) if module.name not in SHARED]
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return {module.NAME: module for module in modules}
