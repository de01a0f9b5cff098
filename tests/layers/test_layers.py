"""What the rooms of the package import, who makes statements, how long the trusted code is."""

import ast
import dataclasses
import sys

import pytest
import source_tree as source
import trusted_base

from certaudit.core import statement

GROUND_UP = (
    ("certaudit.run", "certaudit.errors"),
    ("certaudit.core.balls",),
    ("certaudit.core.term",),
    ("certaudit.core.statement", "certaudit.core.gaussian"),
    ("certaudit.losses", "certaudit.claims"),
    ("certaudit.core",),
    ("certaudit.data", "certaudit.check", "certaudit.estimates"),
    ("certaudit.spec", "certaudit.certificate", "certaudit.verdict"),
    ("certaudit.search",),
    ("certaudit.lemmas",),
    ("certaudit.audit",),
    ("certaudit.rank", "certaudit.calibrate"),
    ("certaudit.judgement",),
    ("certaudit.session",),
    ("certaudit.report", "certaudit.explain"),
    ("certaudit.checking",),
    ("certaudit.commands",),
    ("certaudit.cli", "certaudit.pytest_plugin"),
    ("certaudit.__main__",),
    ("certaudit",),
)
"""Rooms from the ground up: a room imports itself and rooms of the rows above it in this list."""

MOST_CORE = 3200
MOST_CHECK = 2700

MADE_IN = "certaudit.core.statement"
LINES_IN = "certaudit.core.proof"
STATEMENTS = {
    name
    for name, value in vars(statement).items()
    if isinstance(value, type) and issubclass(value, statement.Statement)
}


def room(module):
    """The room a module is in and its height: the longest name of the list that holds it."""
    return max(
        (
            (len(name), name, height)
            for height, row in enumerate(GROUND_UP)
            for name in row
            if module == name or (name != "certaudit" and source.within(module, name))
        ),
        default=(0, None, None),
    )[1:]


def calls(module, home, names):
    """Calls in a module of these classes, defined in the module ``home``, by whatever name they go."""
    parsed, last = source.tree(module), home.split(".")[-1]
    local = {name: name for name in names} if module == home else {}
    modules = {home}
    for node in ast.walk(parsed):
        if isinstance(node, ast.ImportFrom) and node.module == home:
            local |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and f"{node.module}.{last}" == home:
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == last}
        elif isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name for alias in node.names if alias.name == home}
    for node in ast.walk(parsed):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and local.get(called.id) in names:
            yield called.id
        elif isinstance(called, ast.Attribute) and ast.unparse(called.value) in modules:
            yield from {called.attr} & names


@pytest.mark.parametrize("module", sorted(source.modules()))
def test_imports_go_downward_only(module):
    own, height = room(module)
    assert own is not None, f"{module} is in no room"
    for one in source.imports(module):
        if one.target == "certaudit" or not source.within(one.target, "certaudit"):
            continue  # the package itself: its version
        other, level = room(one.target)
        assert other is not None, f"{module} imports {one.target}, which is in no room"
        assert other == own or level < height, f"{module} ({own}) imports {one.target} ({other})"


def test_no_import_goes_round_in_a_circle():
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for one in source.imports(module):
            if one.target in source.modules() and one.target not in ("certaudit", module):
                visit(one.target)
        done.add(path.pop())

    for module in source.modules():
        visit(module)


@pytest.mark.parametrize("module", source.inside("certaudit.core"))
def test_the_core_imports_flint_and_the_standard_library_only(module):
    allowed = ("certaudit.run", "certaudit.losses", "certaudit.claims", "certaudit.core")
    for one in source.imports(module):
        if one.target == "certaudit" or source.within(one.target, "certaudit"):
            assert source.within(one.target, *allowed), one.target
        else:
            assert one.target == "flint" or one.target in sys.stdlib_module_names, one.target


@pytest.mark.parametrize("module", source.inside("certaudit.check"))
def test_the_second_checker_stands_alone(module):
    for one in source.imports(module):
        if one.relative or source.within(one.target, "certaudit"):
            assert one.relative, f"{one.target}: by a relative import, so that the folder runs anywhere"
            assert source.within(one.target, "certaudit.check"), one.target
        else:
            assert one.target == "gmpy2" or one.target in sys.stdlib_module_names, one.target


def test_only_core_rules_make_statements():
    assert len(STATEMENTS) > 10
    made = {module for module in source.modules() if list(calls(module, MADE_IN, STATEMENTS))}
    assert made
    assert [module for module in made if not source.within(module, "certaudit.core.rules")] == []


def test_only_proofs_have_lines():
    made = {module for module in source.modules() if list(calls(module, LINES_IN, {"Line"}))}
    assert made == {LINES_IN}


def test_nothing_goes_round_the_frozen_classes():
    for module in source.modules():
        for node in ast.walk(source.tree(module)):
            round_about = isinstance(node, ast.Attribute) and node.attr in ("__setattr__", "__new__")
            if round_about and source.within(module, "certaudit.core", "certaudit.search"):
                raise AssertionError(f"{module}: {node.attr}")


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_statements_are_frozen_and_have_no_defaults(name):
    kind = getattr(statement, name)
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    for field in dataclasses.fields(kind):
        assert field.default is dataclasses.MISSING, field.name
        assert field.default_factory is dataclasses.MISSING, field.name


def test_statements_hold_nothing_that_can_change():
    """No mapping, list, set or Any in a field's type."""
    for module in ("certaudit.core.statement",):
        for node in ast.walk(source.tree(module)):
            if isinstance(node, ast.AnnAssign):
                words = {one.id for one in ast.walk(node.annotation) if isinstance(one, ast.Name)}
                assert not words & {"Any", "dict", "list", "set", "Mapping", "Sequence"}, ast.unparse(
                    node
                )


def test_nothing_concludes():
    for module in source.modules():
        for node in ast.walk(source.tree(module)):
            name = getattr(node, "attr", None) or getattr(node, "name", None)
            assert name != "conclude", module


@pytest.mark.parametrize(("package", "most"), [("core", MOST_CORE), ("check", MOST_CHECK)])
def test_trusted_code_stays_short(package, most):
    lines = trusted_base.lines_in(source.inside(f"certaudit.{package}"))
    assert lines <= most, f"certaudit/{package} has {lines} lines of code, at most {most} are allowed"


def test_calls_are_seen_by_any_name(monkeypatch):
    texts = {
        "a": "from certaudit.core.statement import Law as L\nL(1)",
        "b": "from certaudit.core import statement as s\ns.Law(1)",
        "c": "import certaudit.core.statement\ncertaudit.core.statement.Law(1)",
        "d": "from certaudit.core.schedule import Pair\nPair(1)",
    }
    monkeypatch.setattr(source, "tree", lambda module: ast.parse(texts[module]))
    found = [list(calls(module, MADE_IN, STATEMENTS)) for module in texts]
    assert found == [["L"], ["Law"], ["Law"], []]


def test_lines_of_code_are_counted_without_blanks_comments_and_docstrings(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(
        '"""Module.\n\nTwo."""\n\n# comment\nx = 1  # behind code\n\n\n'
        'def f(a):\n    """Doc."""\n    return """text\n\nover lines"""\n\n\n'
        'class C:\n    """Doc\n    string."""\n\n    y = (\n        2\n    )\n'
    )
    assert source.code_lines(path) == 1 + 1 + 3 + 1 + 3


def test_late_imports_are_told_apart(monkeypatch):
    late = {one.target for one in source.imports("certaudit.losses.softmax") if one.late}
    now = {one.target for one in source.imports("certaudit.losses.softmax") if not one.late}
    assert {"torch", "scipy"} <= late
    assert not {"torch", "scipy"} & now


def test_the_trusted_base_imports_nothing_that_it_does_not_list():
    assert trusted_base.missing() == set()


def test_sympy_is_not_trusted():
    for module in trusted_base.trusted():
        for late in (False, True):
            assert not source.foreign(module, late=late) & {"sympy", "mpmath"}, module


def test_the_page_of_the_trusted_base_is_current():
    assert trusted_base.PAGE.read_text(encoding="utf-8") == trusted_base.page(), trusted_base.__doc__
