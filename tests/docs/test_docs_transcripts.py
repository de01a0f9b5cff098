"""What the README shows is what the commands print, and what it says can be written can be read.

``PYTHONPATH=. python tests/docs/test_docs_transcripts.py`` writes the transcripts anew.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from certaudit.spec.load import load_policy

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "README.md"
README = PAGE.read_text(encoding="utf-8")
TRANSCRIPT = re.compile(r"^```\n\$ certaudit (.+)\n((?:.*\n)*?)```$", re.MULTILINE)


def printed(arguments):
    command = [sys.executable, "cli.py", *arguments.split()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("arguments", "shown"), TRANSCRIPT.findall(README))
def test_transcripts_are_what_is_printed(arguments, shown):
    assert printed(arguments) == shown, __doc__


def test_the_readme_has_a_transcript():
    assert TRANSCRIPT.search(README)


def test_the_policy_of_the_readme_can_be_read(tmp_path):
    (block,) = re.findall(r"```yaml\npolicy:\n((?:  .*\n)+)```", README)
    (tmp_path / "policy.yaml").write_text(re.sub("^  ", "", block, flags=re.MULTILINE))
    assert load_policy(tmp_path / "policy.yaml").delta == "below 1/n"


if __name__ == "__main__":
    new = TRANSCRIPT.sub(lambda m: f"```\n$ certaudit {m[1]}\n{printed(m[1])}```", README)
    PAGE.write_text(new, encoding="utf-8")
