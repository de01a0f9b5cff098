"""The package as parsed source: modules, what they import, how many lines of code they have."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "certaudit"

NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Import:
    """An import statement's target: a module of the package, or the top name of another one.

    ``late``: inside a function or under TYPE_CHECKING, so that loading the module does not run it.
    """

    target: str
    late: bool
    relative: bool


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    return {_name(path): path for path in sorted((ROOT / PACKAGE).rglob("*.py"))}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(module: str) -> ast.Module:
    """The module's source, parsed."""
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[Import]:
    """Everything the module imports, wherever in it."""
    return frozenset(_imports(module, tree(module), late=False))


def _imports(module: str, node: ast.AST, *, late: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(_known(alias.name, None), late, relative=False)
    elif isinstance(node, ast.ImportFrom):
        origin = _origin(module, node)
        for alias in node.names:
            yield Import(_known(origin, alias.name), late, relative=node.level > 0)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _typing_only(node):
        late = True
    for child in ast.iter_child_nodes(node):
        yield from _imports(module, child, late=late)


def _typing_only(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )


def _origin(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".")
    if modules()[module].name != "__init__.py":
        package.pop()
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _known(origin: str, name: str | None) -> str:
    """The module of the package that is meant, or the top name of another package."""
    if origin.split(".")[0] != PACKAGE:
        return origin.split(".")[0]
    whole = f"{origin}.{name}"
    return whole if whole in modules() else origin


def within(module: str, *prefixes: str) -> bool:
    """Whether the module is one of these, or inside one."""
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def inside(*prefixes: str) -> list[str]:
    """The modules that are one of these, or inside one."""
    return [module for module in modules() if within(module, *prefixes)]


def foreign(module: str, *, late: bool) -> set[str]:
    """Packages from outside, the standard library left out; those imported late, or at once."""
    return {
        one.target
        for one in imports(module)
        if one.late == late and one.target != PACKAGE and not within(one.target, PACKAGE)
    } - sys.stdlib_module_names


def code_lines(path: Path) -> int:
    """Lines that hold code: no blank line, no comment, no docstring."""
    text = path.read_text(encoding="utf-8")
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            held |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            held -= _docstring(node)
    return len(held)


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    if ast.get_docstring(node, clean=False) is None:
        return set()
    first = node.body[0]
    assert first.end_lineno is not None
    return set(range(first.lineno, first.end_lineno + 1))
