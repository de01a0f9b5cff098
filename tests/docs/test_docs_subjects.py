"""Every command of docs/subjects.md prints what the page says, on the files that the page gives."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "subjects.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
TRANSCRIPTS = re.findall(r"^```console\n\$ certaudit (.*?)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    spec = FILES["forget.yaml"]
    (tmp_path / "unknown.yaml").write_text(spec.replace("[17]", "[17, 99]"))
    by_row = spec.replace(", id_column: customer_id", "").replace("{ids: [17]}", "[0]")
    (tmp_path / "by-row.yaml").write_text(by_row)
    return tmp_path


def test_the_page_has_files_and_transcripts():
    assert set(FILES) == {"customers.csv", "forget.yaml"}
    assert len(TRANSCRIPTS) == 3


@pytest.mark.parametrize(("arguments", "expected"), TRANSCRIPTS)
def test_transcripts(folder, arguments, expected):
    """Line by line; a line of three dots stands for any lines."""
    result = subprocess.run(
        [sys.executable, "-m", "certaudit", *arguments.split()],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)]
    printed = result.stderr + result.stdout
    assert re.fullmatch(r"(?:.*\n)*?".join(parts), printed), printed
