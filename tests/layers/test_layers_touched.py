"""The files that a new loss, claim, attack, report format or command touches: no more than
CONTRIBUTING.md says, on the examples it gives."""

import ast
import re
from pathlib import Path

import pytest
import source_tree as source

from certaudit.audit.scores import kinds
from certaudit.commands import commands
from certaudit.report.formats import FORMATS

TEXT = (source.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def listed(section):
    """The files of the package that a section of CONTRIBUTING.md names; a folder counts as one."""
    text = TEXT.split(f"## {section}\n")[1].split("\n## ")[0]
    return set(re.findall(r"`(certaudit/[\w./]+)`", text))


def names(module):
    """Every name and every whole text in a module's code, docstrings left out."""
    tree = source.tree(module)
    texts = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias | ast.ClassDef):
            yield node.name


def naming(*words):
    """The files that have one of the words, as paths; those of the second checker as one folder."""
    found = set()
    for module, path in source.modules().items():
        if set(words) & set(names(module)):
            relative = path.relative_to(source.ROOT).as_posix()
            found.add("certaudit/check" if source.within(module, "certaudit.check") else relative)
    return found


def test_a_loss():
    found = naming("huber")
    assert "certaudit/losses/huber.py" in found
    assert found <= listed("To add a loss")


def test_a_kind_of_claim():
    found = naming("SensitivityClaim", "SensitivitySpec")
    assert "certaudit/claims/sensitivity.py" in found
    assert found <= listed("To add a kind of claim")


@pytest.mark.parametrize("name", ["removed_point_loss", "gradient_norm", "rmia", "u_lira", "neural"])
def test_an_attack(name):
    module = f"certaudit.audit.scores.{name}"
    own = [node.name for node in source.tree(module).body if isinstance(node, ast.ClassDef)]
    assert own
    assert naming(*own) == {f"certaudit/audit/scores/{name}.py"}


@pytest.mark.parametrize("folder", ["report/formats", "commands", "explain"])
def test_found_by_name(folder):
    """No module but its own package imports one of these."""
    package = f"certaudit.{folder.replace('/', '.')}"
    shared = {"arguments", "exits", "output", "topic"}
    inside = [m for m in source.inside(package) if m != package and m.split(".")[-1] not in shared]
    assert len(inside) > 1
    for module in source.modules():
        imported = {one.target for one in source.imports(module)} & set(inside)
        assert imported <= {module}, module


def test_the_registries_hold_what_the_folders_hold():
    def files(folder, *others):
        path = Path(source.ROOT / "certaudit" / folder)
        return len([one for one in path.glob("*.py") if one.stem not in ("__init__", *others)])

    assert len(commands()) == files("commands", "arguments", "exits", "output")
    assert len(FORMATS) == files("report/formats")
    assert len({kind.__module__ for kind in kinds()}) == files("audit/scores", "base")
