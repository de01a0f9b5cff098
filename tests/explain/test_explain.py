"""`certaudit explain`: rules, theorems and verdicts have topics, and what these refer to exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from certaudit import cli
from certaudit.commands import commands
from certaudit.core.rules import RULES
from certaudit.explain import find, topics
from certaudit.explain.hazards import HAZARDS, SURE, Checklist
from certaudit.search.published import THEOREMS
from certaudit.spec import Spec
from certaudit.verdict import Status

ROOT = Path(__file__).parents[2]
THEORY = (ROOT / "docs" / "theory.md").read_text(encoding="utf-8")
ANCHORS = set(re.findall(r'<a id="([^"]+)"></a>', THEORY))
FAULTS = set(re.findall(r"^\| ([\w-]+) \|", (ROOT / "docs" / "faults.md").read_text(), re.MULTILINE))
SCHEMA = Spec.model_json_schema()
KEYS = {
    key
    for part in (SCHEMA, *SCHEMA["$defs"].values())
    for key in part.get("properties", {})
}  # fmt: skip
EXISTS = {
    "rule": lambda name: name in RULES,
    "command": lambda name: name in commands(),
    "key": lambda name: name in KEYS,
    "spec": lambda name: (ROOT / name).is_file(),
    "fault": lambda name: name in FAULTS,
}


def test_every_rule_theorem_and_verdict_has_a_topic() -> None:
    named = {(one.kind, one.name) for one in topics().values()}
    assert {("rule", rule) for rule in RULES} <= named
    assert {("theorem", name) for name in THEOREMS} <= named
    assert {("verdict", status.value) for status in Status} <= named
    assert ("checklist", "hazards") in named


@pytest.mark.parametrize("name", sorted(topics()))
def test_a_topic_says_something_and_its_place_exists(name: str) -> None:
    one = topics()[name]
    assert one.title
    assert all(one.paragraphs)
    path, _, anchor = one.where.partition("#")
    assert not path or (ROOT / path).is_file()
    assert not anchor or anchor in ANCHORS
    for line in one.lines():
        assert len(line) <= 130
        assert "``" not in line


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rules_topic_has_its_statement_premises_and_source(
    rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["explain", rule]) == 0
    printed = capsys.readouterr().out
    assert RULES[rule].title in printed
    assert f"docs/theory.md#{rule.lower()}" in printed
    assert f"source: {RULES[rule].source} " in " ".join(printed.split())
    assert cli.main(["explain", rule, "--json", "-"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data == find(rule).data() | {"paragraphs": list(find(rule).paragraphs)}  # type: ignore[union-attr]


def test_names_are_found_however_they_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["not", "proved"], ["not-proved"], ["NOT PROVED"], ["notproved"]):
        assert cli.main(["explain", *words]) == 0
        assert capsys.readouterr().out.startswith("not proved: no rule applies")
    plain = {"".join(c for c in name.lower() if c not in " -_") for name in topics()}
    assert len(plain) == len(topics())


def test_no_such_topic_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = {"S33": "did you mean S3?", "\x1b[31mx\n": "lists the topics", "x" * 999: "lists"}
    for word, said in words.items():
        assert cli.main(["explain", word]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line
        assert line.isprintable()
        assert len(line) < 200


def test_the_list_of_topics(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(topics())
    assert cli.main(["explain", "--json", "-"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["topics"]] == list(topics())


def test_hazards_name_what_exists_and_how_sure_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert len({one.name for one in HAZARDS}) == len(HAZARDS)
    for one in HAZARDS:
        assert one.sure in SURE
        assert bool(one.checks) or one.cover == "not covered"
        assert not (one.checks and one.cover == "not covered")
        for check in one.checks:
            kind, _, name = check.partition(" ")
            assert EXISTS[kind](name), f"{one.name}: {check}"
    assert cli.main(["explain", "hazards"]) == 0
    printed = capsys.readouterr().out
    for one in HAZARDS:
        assert f"[{one.cover}] {one.name}\n" in printed
    assert "https://doi.org/10.6028/NIST.SP.800-226" in printed
    assert "not from its own text" in " ".join(printed.split())
    assert printed.splitlines()[-1].startswith(f"{len(HAZARDS)} hazards: ")
    assert cli.main(["explain", "hazards", "--json", "-"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in data["hazards"]] == [one.name for one in HAZARDS]
    assert isinstance(topics()["hazards"], Checklist)
