"""Every test that docs/bugs-found.md names as a guard exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = sorted(
    set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "bugs-found.md").read_text(encoding="utf-8")))
)
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("name", NAMED)
def test_the_guard_of_a_bug_exists(name):
    assert name in DEFINED
