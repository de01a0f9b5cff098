"""Import the two functions that a spec names.  This runs foreign code with the caller's rights."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from certaudit.audit.implementations.surroundings import foreign

Function = Callable[..., Any]

SHAPES = {"learn": ("X", "y", "seed"), "unlearn": ("parameters", "X", "y", "forget", "seed")}


class CodeError(Exception):
    """A function could not be imported or called; ``field`` says which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Names:
    """Where the functions stand: ``package.module:function`` each, looked for in ``folder`` first."""

    learn: str
    unlearn: str
    folder: Path


@dataclass(frozen=True)
class Code:
    """The two functions.

    ``sha256`` is that of their packages' modules imported so far, and of those that stand in ``folder``.
    """

    learn: Function
    unlearn: Function
    sha256: str
    folder: Path


def load(names: Names) -> Code:
    """Import both functions.  What they print while being imported goes to stderr.

    Raises:
        CodeError: if one cannot be imported, or cannot take the arguments it will be given.
    """
    folder = names.folder.resolve()
    for name in (names.learn, names.unlearn):
        _drop_others(name.partition(":")[0].partition(".")[0], folder)
    with foreign(folder):
        learn, unlearn = _function("learn", names.learn), _function("unlearn", names.unlearn)
    return Code(learn, unlearn, _sha256(names, folder), folder)


def _drop_others(package: str, folder: Path) -> None:
    """Forget an imported package of that name from elsewhere, where the folder has its own."""
    places = (folder / package / "__init__.py", folder / f"{package}.py")
    own = next((place for place in places if place.exists()), None)
    file = getattr(sys.modules.get(package), "__file__", None)
    if own is None or file is None or Path(file).resolve() == own:
        return
    for name in [m for m in sys.modules if m == package or m.startswith(f"{package}.")]:
        del sys.modules[name]


def _function(field: str, name: str) -> Function:
    module, _, attribute = name.partition(":")
    try:
        function = getattr(import_module(module), attribute, None)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # foreign code may raise anything, SystemExit as well
        raise CodeError(field, f"module {module!r} cannot be imported: {brief(error)}") from None
    if not callable(function):
        raise CodeError(field, f"module {module!r} has no function {attribute!r}")
    wanted = SHAPES[field]
    try:
        inspect.signature(function).bind(*wanted)
    except TypeError:
        raise CodeError(field, f"{name} cannot be called as ({', '.join(wanted)})") from None
    except ValueError:
        pass  # a compiled function without a signature
    found: Function = function
    return found


def _sha256(names: Names, folder: Path) -> str:
    packages = {name.partition(":")[0].partition(".")[0] for name in (names.learn, names.unlearn)}
    total = hashlib.sha256()
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or not (name.partition(".")[0] in packages or Path(file).parent == folder):
            continue
        with suppress(OSError):
            total.update(name.encode() + b"\0" + Path(file).read_bytes())
    return total.hexdigest()


def brief(error: BaseException) -> str:
    """An exception on one short line."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception of foreign code may fail at this too
        text = ""
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."
