"""Certificates written, read and replayed."""

import json
import os
import re
from fractions import Fraction
from math import isclose

import numpy as np
import pytest
from certificate_samples import (
    CLAIMS,
    SPEC,
    TARGET,
    bare,
    data_of,
    decided,
    read,
    resealed,
    sample,
    sample_run,
)

from certaudit.certificate.data import Data
from certaudit.certificate.numbers import spell
from certaudit.certificate.read import loads, sealed
from certaudit.certificate.read import read as read_file
from certaudit.certificate.replay import DataNeeded, Rejected, replay
from certaudit.certificate.strict import Malformed
from certaudit.certificate.write import document, dumps


def test_every_claim_comes_back_decided():
    run, content = sample()
    found = {one.claim: one.verdict for one in replay(loads(dumps(content).encode()))}
    assert found == {one.claim: one.verdict for one in decided(run)}
    assert set(found) == set(CLAIMS)
    assert found[CLAIMS[1]] == "refuted"


def test_the_data_may_be_brought_instead():
    run, _ = sample()
    certificate = loads(dumps(bare()).encode())
    assert certificate.data is None
    with pytest.raises(DataNeeded):
        replay(certificate)
    assert len(replay(certificate, data_of(run))) == len(CLAIMS)


def test_what_was_replayed_writes_the_same_file():
    run, content = sample()
    again = document(run, replay(read(content)), SPEC, include_data=True)
    assert again == content


def test_both_forms_have_one_digest_of_the_data():
    assert bare()["data"]["sha256"] == sample()[1]["data"]["sha256"]


@pytest.mark.parametrize("place", ["X", "y"])
def test_other_data_are_refused(place):
    run, _ = sample()
    changed = {"X": run.X.copy(), "y": run.y.copy()}
    changed[place].flat[0] = np.nextafter(changed[place].flat[0], 2)
    with pytest.raises(Rejected, match="another digest"):
        replay(read(bare()), Data(**changed))
    included = sample()[1]
    with pytest.raises(Rejected, match="another digest"):
        replay(read(included), Data(**changed))


def test_included_data_must_be_those_of_the_digest_whatever_is_brought():
    run, content = sample()
    content["data"]["y"][0] = "1/7"
    with pytest.raises(Rejected, match="another digest"):
        replay(read(content), data_of(run))


def test_data_of_another_shape_are_refused():
    run, _ = sample()
    for other in (Data(run.X[:, :1], run.y), Data(run.X[:-1], run.y[:-1]), Data(run.X, run.y[:-1])):
        with pytest.raises(Rejected, match="must be 6 rows of 2"):
            replay(read(bare()), other)


def test_numbers_that_are_no_data_are_refused():
    run, _ = sample()
    y = run.y.copy()
    y[0] = np.nan
    with pytest.raises(Rejected, match="finite"):
        replay(read(bare()), Data(run.X, y))


def test_data_that_are_no_floats_come_back_exact():
    run = sample_run(y=np.array([Fraction(k, 3) for k in range(6)], dtype=object))
    content = document(run, decided(run, CLAIMS[:1]), SPEC, include_data=True)
    certificate = read(content)
    assert certificate.data.y.tolist() == run.y.tolist()
    assert certificate.data.X.dtype == np.float64
    assert len(replay(certificate)) == 1


def test_the_removed_targets_are_not_in_the_file():
    text = dumps(bare())
    exact = Fraction(TARGET)
    spellings = [repr(TARGET), spell(TARGET), str(exact), TARGET.hex(), TARGET.hex().split("p")[0][4:]]
    spellings += [str(exact.numerator), f"{TARGET:.10g}", f"{TARGET:.6g}"]
    for spelling in spellings:
        assert spelling not in text
    assert spell(TARGET) in dumps(sample()[1])
    numbers = [part.split("p") for part in re.findall("-?[0-9]{1,40}p-[0-9]{1,3}", text)]
    values = [int(mantissa) * 2.0 ** int(exponent) for mantissa, exponent in numbers]
    assert values
    assert not any(isclose(abs(value), TARGET, rel_tol=1e-9) for value in values)


def test_only_lines_that_a_claim_rests_on_are_written():
    _, content = sample()
    assert [proof["requests"] for proof in content["proofs"]] == [1, 2]
    for proof in content["proofs"]:
        wanted = {k for claim in proof["claims"] for k in claim["lines"]}
        for k in reversed(range(len(proof["lines"]))):
            assert k in wanted
            wanted |= set(proof["lines"][k]["uses"])


def test_the_file_has_no_line_of_prose():
    words = {"formula", "enclosure", "certaudit", "version", "premises"}
    assert words.isdisjoint(sample()[1])
    assert all(
        set(line) == {"rule", "uses", "witness"} for p in sample()[1]["proofs"] for line in p["lines"]
    )


def test_a_claim_that_its_lines_do_not_decide_is_not_written():
    run, _ = sample()
    one, other = decided(run, CLAIMS[:2])
    wrong = type(one)(one.claim, "refuted", one.lines, one.proof)
    for bad in (wrong, type(one)(one.claim, "proved", other.lines, other.proof)):
        with pytest.raises(ValueError, match="do not show"):
            document(run, [bad], SPEC)
    with pytest.raises(ValueError, match="needs a claim"):
        document(run, [], SPEC)
    with pytest.raises(ValueError, match="another run"):
        document(sample_run(l2=Fraction(1, 10)), [one], SPEC)


def test_a_file_is_read_from_disk(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(dumps(sample()[1]), encoding="utf-8")
    assert len(replay(read_file(path))) == len(CLAIMS)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(Malformed, match="regular file"):
        read_file(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises((Malformed, OSError)):
        read_file(tmp_path)


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", b"null", b"3", b'"x"', b"{}x", b"\xff\xfe{}", b"\xef\xbb\xbf{}"),
        *(b"[" * 100_000, b'{"a":' * 100_000, b"{'format': 1}"),
        b"[" + b"0," * (5 * 10**6) + b"0]",
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_what_is_no_certificate_is_refused(raw):
    with pytest.raises(Malformed):
        loads(raw)


def test_another_format_is_refused():
    _, content = sample()
    with pytest.raises(Malformed) as caught:
        read({**content, "format": "certaudit certificate 2"})
    assert caught.value.place == "format"


def test_an_altered_file_is_noticed():
    _, content = sample()
    content["spec"]["name"] = "another"
    with pytest.raises(Malformed) as caught:
        loads(json.dumps(content).encode())
    assert caught.value.place == "sha256"
    assert loads(resealed(content)).spec.name == "another"


def test_the_digest_is_of_the_content_not_of_its_layout():
    _, content = sample()
    assert sealed(content) == content["sha256"]
    turned = dict(reversed(content.items()))
    assert len(replay(loads(json.dumps(turned, indent=3).encode()))) == len(CLAIMS)
