"""Files of format 1 stay readable for ever."""

import json
from pathlib import Path

import pytest

import certaudit
from certaudit.certificate.read import loads, sealed
from certaudit.certificate.replay import replay
from certaudit.certificate.strict import Malformed
from certaudit.check import check_file
from certaudit.check.checker import examined
from certaudit.claims import KINDS
from certaudit.core.rules import RULES

FILES = sorted((Path(__file__).parent / "format-1").glob("*.json"))
CLAIMS = {
    "epsilon-delta.json": {"exact": "proved"},
    "epsilon-delta-refuted.json": {"broken": "refuted"},
    "renyi.json": {"renyi": "proved"},
    "gaussian.json": {"gaussian": "proved"},
    "sensitivity.json": {"sensitivity": "proved"},
    "every-step.json": {"composed": "proved", "shift": "proved"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_certificate_of_2026_is_accepted(path):
    """The files in format-1/ are never generated again: those not named rules-... were written
    by ``certaudit derive --save`` in November 2026, the others by tests/forgeries at the same
    time.  If one is refused, a checker is wrong, or the format needs a new number."""
    raw = path.read_bytes()
    decided = replay(loads(raw))
    report = examined(raw)
    assert report.accepted, report.reasons
    found = {one.claim.id: one.verdict for one in decided}
    assert found == {one.name: one.verdict for one in report.claims}
    assert found == CLAIMS.get(path.name, found)


def test_they_hold_every_rule_and_every_kind_of_claim():
    proofs = [proof for path in FILES for proof in json.loads(path.read_bytes())["proofs"]]
    assert {line["rule"] for proof in proofs for line in proof["lines"]} == set(RULES)
    assert {claim["claim"]["kind"] for proof in proofs for claim in proof["claims"]} == set(KINDS)
    assert set(CLAIMS) <= {path.name for path in FILES}


def test_a_later_format_is_refused_in_one_line(tmp_path):
    content = json.loads(FILES[0].read_bytes())
    content["format"] = "certaudit certificate 2"
    path = tmp_path / "later.json"
    path.write_text(json.dumps({**content, "sha256": sealed(content)}))
    with pytest.raises(Malformed, match="certaudit certificate 1") as found:
        loads(path.read_bytes())
    assert "\n" not in str(found.value)
    (reason,) = check_file(path).reasons
    assert reason == "1 FORMAT: not a certaudit certificate 1"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_certificate_names_no_version_of_the_package(path):
    text = path.read_text()
    assert f'"{certaudit.__version__}"' not in text
    assert "version" not in text
