"""Files that are no certificates: both checkers refuse them and nothing else happens."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from forge_files import certificate
from forge_judges import altered, by_core, judge, resealed

from certaudit.certificate.read import read
from certaudit.certificate.strict import Malformed
from certaudit.check import check_file
from certaudit.check.checker import examined

ROOT = Path(__file__).parents[2]
FAKE = "x\n\x1b[2K\x1b[1A/tmp/a.json: accepted\u202e"


def small():
    return certificate("logistic_bounds")


def refused(raw):
    found = judge(raw)
    return not found.core and not found.check


def at(*path, value):
    return resealed(altered(small(), path, value))


@pytest.mark.parametrize(
    "digits", ["١", "𝟏", "１", "1 ", " 1", "+1", "1e3", "1_0", "0x1", "1.5", "∞", "nan", ""]
)
@pytest.mark.parametrize(
    "path",
    [
        ("run", "l2"),
        ("data", "X", 0, 0),
        ("proofs", 0, "claims", 0, "claim", "mu"),
        ("run", "learn", "step_size"),
    ],
)
def test_forgery_unicode_digits(path, digits):
    assert refused(at(*path, value=digits))


@pytest.mark.parametrize("value", [1, 0.5, None, True, [], {}, "1/0", "1/-2", "1p200000", "9" * 20_001])
def test_numbers_are_exact_text(value):
    assert refused(at("run", "l2", value=value))


@pytest.mark.parametrize("value", ["3", 3.0, -1, True, None, 10**30])
def test_counts_are_integers(value):
    assert refused(at("run", "learn", "steps", value=value))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "1E2", "0.0", "-0.0"])
def test_floats_and_words_are_no_numbers(text):
    raw = resealed(small()).decode().replace('"steps": 3', f'"steps": {text}', 1)
    assert refused(raw.encode())


def _every_object(value, path=()):
    if isinstance(value, dict):
        yield path, value
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(one, dict | list):
            yield from _every_object(one, (*path, key))


OBJECTS = [path for path, _ in _every_object(small()) if path]


@pytest.mark.parametrize("path", OBJECTS, ids=str)
def test_unknown_and_missing_keys_are_refused_everywhere(path):
    found = small()
    for key in path:
        found = found[key]
    assert refused(at(*path, value={**found, "note": "x"}))
    for key in found:
        if path == ("data",) and key in ("X", "y", "sha256"):
            continue
        assert refused(at(*path, value={k: v for k, v in found.items() if k != key})), key


@pytest.mark.parametrize(
    "key",
    ["format", "data", "proofs", "learn", "l2", "rule", "uses", "claim", "verdict", "X", "sha256", "id"],
)
def test_duplicate_keys_are_refused(key):
    raw = resealed(small()).decode()
    start = raw.index(f'"{key}":')
    decoder = json.JSONDecoder()
    value, _end = decoder.raw_decode(raw[start + len(key) + 3 :].lstrip())
    twice = f'"{key}": {json.dumps(value)}, ' + raw[start:]
    assert refused((raw[:start] + twice).encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw + b"{}",
        lambda raw: raw + b"\x00",
        lambda raw: raw[:-1],
        lambda raw: raw.decode().encode("utf-16"),
        lambda raw: b"[" + raw + b"]",
        lambda raw: b"",
        lambda raw: b"\xff" + raw,
        lambda raw: raw.replace(b'"sha256"', b'"sha256" :"0", "sha256"', 1),
    ],
)
def test_other_bytes_are_refused(change):
    assert refused(change(resealed(small())))


@pytest.mark.parametrize("depth", [50, 500, 900, 960, 990, 1000, 5000, 10**6])
@pytest.mark.parametrize("key", ["format", "assumptions", "name", "rows", "uses"])
def test_deep_nesting_is_refused(key, depth):
    raw = (
        resealed(small())
        .decode()
        .replace(f'"{key}": ', f'"{key}": {"[" * depth}{"]" * depth}, "more": ', 1)
    )
    assert refused(raw.encode())


@pytest.mark.parametrize(
    "value", ["certaudit certificate 2", "certaudit certificate 1 ", "", 1, None, ["x"]]
)
def test_other_formats_are_refused(value):
    assert refused(at("format", value=value))


@pytest.mark.parametrize("value", [[], [{"requests": 1, "lines": [], "claims": []}]])
def test_a_file_without_claims_is_refused(value):
    assert refused(at("proofs", value=value))


def test_data_of_another_digest_are_refused():
    content = small()
    content = {**content, "data": {k: v for k, v in content["data"].items() if k not in ("X", "y")}}
    raw = resealed(content)
    data = json.dumps({key: small()["data"][key] for key in ("X", "y")})
    assert examined(raw, data.encode()).accepted
    assert not examined(raw, data.replace('"1"', '"2"', 1).encode()).accepted
    assert not examined(raw).accepted
    assert by_core(raw)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_forgery_endless_input(make, tmp_path):
    path = tmp_path / "certificate.json"
    make(path)
    assert not check_file(path).accepted
    with pytest.raises((Malformed, OSError)):
        read(path)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/nowhere", "", "a\x00b"])
def test_forgery_what_is_no_file(path):
    assert not check_file(path).accepted


@pytest.mark.parametrize("arguments", [["-m", "certaudit.check"], ["-m", "certaudit", "check"]])
@pytest.mark.parametrize("where", ["id", "rule", "key", "assumption", "spec"])
def test_forgery_printed_names(arguments, where, tmp_path):
    content = small()
    paths = {
        "id": ("proofs", 0, "claims", 0, "claim", "id"),
        "rule": ("proofs", 0, "lines", 0, "rule"),
        "key": ("run", FAKE),
        "assumption": ("run", "assumptions"),
        "spec": ("spec", "name"),
    }
    raw = resealed(altered(content, paths[where], [FAKE] if where == "assumption" else FAKE))
    file = tmp_path / "certificate.json"
    file.write_bytes(raw)
    found = subprocess.run(
        [sys.executable, *arguments, str(file)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    printed = found.stdout + found.stderr
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "/tmp/a.json: accepted\n" not in printed
    assert not any(line.strip() == "/tmp/a.json: accepted" for line in printed.splitlines())


def test_forgery_printed_file_names(tmp_path):
    """A file's own name is foreign text too."""
    file = tmp_path / "a.json\nb.json: accepted\x1b[8m"
    file.write_bytes(b"{}")
    found = subprocess.run(
        [sys.executable, "-m", "certaudit", "check", str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert "\x1b" not in found.stdout
    assert not any(line.startswith("b.json: accepted") for line in found.stdout.splitlines())


@pytest.mark.parametrize("arguments", [["-m", "certaudit.check"], ["-m", "certaudit", "check"]])
def test_forgery_assumptions_are_shown_in_full(arguments, tmp_path):
    """What a run assumes may not hide beyond the end of a shortened line."""
    hidden = "the rows are public" + " " * 60 + "and the noise is not Gaussian"
    file = tmp_path / "certificate.json"
    file.write_bytes(at("run", "assumptions", value=[hidden]))
    found = subprocess.run(
        [sys.executable, *arguments, str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert hidden in found.stdout


@pytest.mark.parametrize("value", [[], [{}], {}, None, "none"])
def test_proofs_of_another_kind_are_refused(value):
    assert refused(at("proofs", value=value))
