"""Certificates of specs/ are accepted within the limits, the heaviest always, all of them on demand."""

import sys
from pathlib import Path
from subprocess import run

import pytest

from certaudit.check import check_file

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
HEAVY = ("logistic-output-noise", "ridge-diabetes-every-step", "ridge-digits")
WITHOUT = ("digits-cnn-finetune", "logistic-premise-failed")  # nothing is decided, nothing is saved


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(path, id=path.stem, marks=[] if path.stem in HEAVY else pytest.mark.statistics)
        for path in SPECS
    ],
)
def test_its_certificate_is_accepted(spec, tmp_path):
    path = tmp_path / "certificate.json"
    command = ["-m", "certaudit", "derive", str(spec), "--include-data", "--save", str(path)]
    run([sys.executable, *command], capture_output=True, check=False)
    assert path.exists() == (spec.stem not in WITHOUT)
    if path.exists():
        report = check_file(path)
        assert report.accepted, report.reasons
