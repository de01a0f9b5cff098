"""Import the functions that a spec names.  This runs foreign code: only the process made for it does."""

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

Function = Callable[..., Any]

SHAPES = {
    "learn": ("X", "y", "seed"),
    "unlearn": ("parameters", "X", "y", "forget", "seed"),
    "release": ("parameters",),
}


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
    release: str | None = None

    @property
    def functions(self) -> dict[str, str]:
        """The names given, by their keys in the spec."""
        given = {"learn": self.learn, "unlearn": self.unlearn, "release": self.release}
        return {key: name for key, name in given.items() if name is not None}


@dataclass(frozen=True)
class Code:
    """The functions.

    ``sha256`` is that of their packages' modules imported so far, and of those that stand in the folder.
    """

    learn: Function
    unlearn: Function
    release: Function | None
    sha256: str


def load(names: Names) -> Code:
    """Import the functions; modules in the folder are found first from now on.

    Raises:
        CodeError: if one cannot be imported, or cannot take the arguments it will be given.
    """
    folder = names.folder.resolve()
    sys.path[:] = [str(folder), *(one for one in sys.path if one != str(folder))]
    found = {key: _function(key, name) for key, name in names.functions.items()}
    return Code(found["learn"], found["unlearn"], found.get("release"), _sha256(names, folder))


def _function(field: str, name: str) -> Function:
    module, _, attribute = name.partition(":")
    try:
        function = getattr(import_module(module), attribute, None)
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
    packages = {name.partition(":")[0].partition(".")[0] for name in names.functions.values()}
    total = hashlib.sha256()
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or not (name.partition(".")[0] in packages or Path(file).parent == folder):
            continue
        with suppress(OSError):
            total.update(name.encode() + b"\0" + Path(file).read_bytes())
    return total.hexdigest()


def brief(error: BaseException) -> str:
    """An exception on one short line, without characters that a terminal would act on."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception of foreign code may fail at this too
        text = ""
    text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    text = text if len(text) <= 200 else f"{text[:197]}..."
    return printable(text)


def printable(text: str) -> str:
    """A line with every character that is not printable written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
