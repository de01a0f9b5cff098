"""What the README shows is what the commands print, and what it says can be written can be read."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from certaudit.spec.load import load_policy

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRANSCRIPTS = re.findall(r"^```\n\$ certaudit (.+)\n((?:.*\n)*?)```$", README, re.MULTILINE)


@pytest.mark.parametrize(("arguments", "printed"), TRANSCRIPTS)
def test_transcripts_are_what_is_printed(arguments, printed):
    done = subprocess.run(
        [sys.executable, "cli.py", *arguments.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == printed, done.stderr


def test_the_readme_has_a_transcript():
    assert TRANSCRIPTS


def test_the_policy_of_the_readme_can_be_read(tmp_path):
    (block,) = re.findall(r"```yaml\npolicy:\n((?:  .*\n)+)```", README)
    (tmp_path / "policy.yaml").write_text(re.sub("^  ", "", block, flags=re.MULTILINE))
    assert load_policy(tmp_path / "policy.yaml").delta == "below 1/n"
