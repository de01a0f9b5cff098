"""The worked examples of the README."""

import importlib.util
import json
from pathlib import Path

import pytest

from certaudit import cli

EXAMPLES = Path(__file__).parents[3] / "examples"


def run(name, tmp_path, **changes):
    text = (EXAMPLES / f"{name}.yaml").read_text()
    for before, after in changes.items():
        text = text.replace(f":{before}\n", f":{after}\n")
    module = name.replace("-", "_")
    (tmp_path / f"{module}.py").write_text((EXAMPLES / f"{module}.py").read_text())
    (tmp_path / "spec.yaml").write_text(text)
    report = tmp_path / "report.json"
    code = cli.main(["audit", str(tmp_path / "spec.yaml"), "--allow-code", "--json", str(report)])
    return code, json.loads(report.read_text())["reports"][0]


def test_a_newton_step_on_ridge_regression_keeps_its_certificate(tmp_path):
    code, report = run("newton-removal", tmp_path)
    assert code == 0
    assert report["conformance"]["verdict"] == "no difference found"


@pytest.mark.parametrize("fault", ["unlearn_all_rows", "unlearn_with_half_the_noise"])
def test_its_faults_are_found(tmp_path, fault):
    code, report = run("newton-removal", tmp_path, unlearn=fault)
    assert code == 1
    assert report["conformance"]["verdict"] == "implementation differs"


@pytest.mark.skipif(importlib.util.find_spec("pybrush") is None, reason="pybrush is not installed")
def test_pybrush_certifies_what_it_does_not_do(tmp_path):
    code, report = run("pybrush-certified", tmp_path)
    assert code == 1
    assert report["claims"][0]["verdict"] == "refuted statistically"
    for control in ("unlearn_and_remove", "unlearn_exactly"):
        code, report = run("pybrush-certified", tmp_path, unlearn=control)
        assert code == 3
        assert report["audit"]["broken"] == []
        assert not report["audit"]["claims"][0]["refuted"]
