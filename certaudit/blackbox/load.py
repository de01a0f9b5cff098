"""Import the two functions that a spec names.  This runs foreign code with the caller's rights."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

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
    """The two functions; ``sha256`` is that of the files that define them."""

    learn: Function
    unlearn: Function
    sha256: str


def load(names: Names) -> Code:
    """Import both functions.  What they print while being imported goes to stderr.

    Raises:
        CodeError: if one cannot be imported, or cannot take the arguments it will be given.
    """
    folder = names.folder.resolve()
    sys.path[:] = [str(folder), *(path for path in sys.path if path != str(folder))]
    for name in (names.learn, names.unlearn):
        _drop_others(name.partition(":")[0].partition(".")[0], folder)
    found = {"learn": _function("learn", names.learn), "unlearn": _function("unlearn", names.unlearn)}
    return Code(found["learn"], found["unlearn"], _sha256(found.values()))


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
        with redirect_stdout(sys.stderr):
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


def _sha256(functions: Any) -> str:
    total = hashlib.sha256()
    for function in functions:
        try:
            file = inspect.getsourcefile(inspect.unwrap(function))
            total.update(Path(file).read_bytes() if file else repr(function).encode())
        except (TypeError, OSError):
            total.update(repr(function).encode())
    return total.hexdigest()


def brief(error: BaseException) -> str:
    """An exception on one short line."""
    text = " ".join(str(error).split())
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."
