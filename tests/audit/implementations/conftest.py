"""A spec whose implementation stands beside it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from blackbox_spec import ONCE, SPEC


@pytest.fixture
def spec(tmp_path):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(12, 3)) / 2
    y = X @ [1.0, -1.0, 0.5] + 0.1 * rng.normal(size=12)
    X[4], y[4] = [1.5, 1.5, 1.5], -4.0
    np.savez(tmp_path / "data.npz", X=X, y=y)
    shutil.copy(Path(__file__).parent / "foreign_code.py", tmp_path)

    def write(**changes):
        values = {"forget": "[4]", "unlearn": ONCE, "reference": "unlearn-retrained", "epsilon": 3}
        values |= {"learn": "learn", "unlearner": "unlearn", "release": ""} | changes
        path = tmp_path / "spec.yaml"
        path.write_text(SPEC.format(**values))
        return path

    return write
