"""A valid spec and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

import pytest

from certaudit.errors import Diagnostic, InputError
from certaudit.spec import build_run, load_spec

GOOD = """\
certaudit: 1
name: ridge-diabetes
data:
  source: sklearn:diabetes
  rows: unit
  target: unit
  sha256: null
model: {loss: ridge, l2: 0.05, normalizer: fixed}
learn: {steps: 200, step_size: 2.5, noise: {std: 0.02}, start: zeros, batches: full}
forget: [7]
unlearn: {steps: 20, step_size: 2.5, noise: {std: 0.02}}
reference: unlearn-retrained
claims:
  - {id: issued, epsilon: 0.12, delta: 1e-5}
  - {id: renyi, order: 8, renyi: 0.001}
  - {id: gaussian, mu: 0.05, delta: 1e-6}
  - {id: sensitivity, step: 10, sensitivity: 0.006, probability: 1e-6}
audit: {shadows: 4000, confidence: 0.95}
"""


def spoiled(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new, 1)


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "spec.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(folder: Path, text: str | bytes, build: bool = False) -> tuple[Diagnostic, ...]:
    path = write(folder, text)
    with pytest.raises(InputError) as caught:
        build_run(load_spec(path)) if build else load_spec(path)
    for line in str(caught.value).split("\n"):
        assert line.isprintable()
    return caught.value.diagnostics


def places(found: tuple[Diagnostic, ...]) -> list[tuple[int | None, int | None, str | None]]:
    return [(d.line, d.column, d.key) for d in found]
