"""The second checker stands alone: its imports, its size, its time."""

import ast
import copy
import re
import shutil
import subprocess
import sys
import time
import tokenize
from pathlib import Path

import check_runs
import pytest
from certificate_builder import seal

import certaudit.check
from certaudit.check.checker import examined

FOLDER = Path(certaudit.check.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))


def test_it_runs_from_a_copy(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "check", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "c.json").write_bytes(seal(check_runs.bounded()))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "check", "c.json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("accepted")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_imports_the_standard_library_and_gmpy2(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level in (0, 1)
            names = [] if node.level else [node.module]
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            assert top == "gmpy2" or top in sys.stdlib_module_names, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_floats_decide(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and type(node.value) is float:
            line = path.read_text().splitlines()[node.lineno - 1]
            assert re.search("spend|across|values|self.price", line), line


def code_lines(path):
    tree = ast.parse(path.read_text())
    said = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            said |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    found = set()
    skipped = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    with path.open() as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type not in skipped:
                found |= set(range(token.start[0], token.end[0] + 1))
    return len(found - said)


def test_its_size():
    assert sum(map(code_lines, FILES)) <= MOST


MOST = 2_700


@pytest.mark.parametrize("kind", ["nodes", "cells", "lines", "steps", "matrix"])
def test_the_hardest_lawful_demands_are_refused_in_time(kind):
    value = check_runs.exact()
    proof = value["proofs"][0]
    lines = proof["lines"]
    if kind == "nodes":
        lines[3]["witness"].update(n=20_000, bits=4096)
        lines[6]["witness"].update(n=20_000, bits=4096)
    if kind == "cells":
        lines[3]["rule"] = "C7"
        many = [f"{j}p-6" for j in range(2_000)]
        angles = {
            "m": "1/2",
            "b": "1/2",
            "theta": "0",
            "lo": "-1/4",
            "hi": "1/4",
            "h": "1/64",
            "n": 20_000,
        }
        cells = {"lo_cells": many, "hi_cells": many, "tail_cells": many}
        lines[3]["witness"] = {"epsilon": "1", "gamma": "1p-20", **angles, **cells, "bits": 4096}
    if kind == "lines":
        lines += [copy.deepcopy(lines[3]) for _ in range(19_000)]
    if kind == "steps":
        value["run"]["learn"]["steps"] = 10**6
        value["run"]["learn"]["batches"] = [[0, 5], [1, 2]]
        lines += [{"rule": "S1-drift", "uses": [], "witness": {"last": None}}] * 100
    if kind == "matrix":
        value["run"]["learn"]["batches"] = [[j] for j in range(8)] * 500
        value["run"]["learn"]["steps"] = 3_999
    started = time.process_time()
    report = examined(seal(value))
    assert time.process_time() - started < 10
    assert not report.accepted
