"""docs/theory.md has what the rules refer to: an anchor for each, and every source."""

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

from certaudit import cli
from certaudit.claims import KINDS
from certaudit.core.rules import RULES
from certaudit.core.statement import Statement
from certaudit.search.published import THEOREMS

DOCS = Path(__file__).resolve().parents[2] / "docs"
THEORY = (DOCS / "theory.md").read_text(encoding="utf-8")
FORMAT = (DOCS / "certificate-format.md").read_text(encoding="utf-8")

ANCHORS = Counter(re.findall(r'<a id="([^"]+)"></a>', THEORY))
LABEL = re.compile(r"\b[A-Z]{2,3}\d\d[a-z]?\b")
LINK = re.compile(r"theory\.md#([\w.-]+)")
PARTS = ("Statement", "Premises", "Witness", "Proof", "Traps")


def section(anchor):
    """The text from an anchor to the next section of a rule."""
    return THEORY.split(f'<a id="{anchor}"></a>')[1].split("\n### ", 2)[1]


def sources_list():
    """The anchors of the table of sources."""
    return set(re.findall(r'<a id="([^"]+)"></a>', THEORY.split('<a id="sources"></a>')[1]))


def test_no_anchor_twice():
    assert [anchor for anchor, count in ANCHORS.items() if count > 1] == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_its_section(rule):
    assert rule.lower() in ANCHORS
    text = section(rule.lower())
    assert text.splitlines()[0] == rule
    assert [part for part in PARTS if f"**{part}.**" not in text] == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rules_source_resolves(rule):
    """A link into the theory, if any, is to an anchor, and each label of the literature is in the list;
    sections of a theory that is not in the repository are named nowhere."""
    source = RULES[rule].source
    assert [anchor for anchor in LINK.findall(source) if anchor not in ANCHORS] == []
    assert [label for label in LABEL.findall(source) if label.lower() not in sources_list()] == []
    assert "section" not in source


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rules_source_begins_with_its_own_section(rule):
    assert LINK.findall(RULES[rule].source.split(";")[0]) == [rule.lower()]


@pytest.mark.parametrize("spec", ["ridge-diabetes", "logistic-breast-cancer", "digits-mlp-sgld"])
def test_every_source_that_derive_prints_resolves(spec, capsys):
    cli.main(["derive", str(DOCS.parent / "specs" / f"{spec}.yaml")])
    printed = [
        line.split(maxsplit=1)[1]
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("      source")
    ]
    assert printed
    for source in printed:
        assert LINK.findall(source.split(";")[0]), source
        assert [anchor for anchor in LINK.findall(source) if anchor not in ANCHORS] == []
        assert [label for label in LABEL.findall(source) if label.lower() not in sources_list()] == []


@pytest.mark.parametrize("name", sorted(THEOREMS))
def test_a_published_theorems_source_is_in_the_list(name):
    text = Path(inspect.getfile(THEOREMS[name])).read_text(encoding="utf-8")
    labels = set(LABEL.findall(text))
    assert labels
    assert {label for label in labels if label.lower() not in sources_list()} == set()


def test_every_rule_of_the_format_has_a_section():
    table = FORMAT.split("## Rules")[1].split("\n## ")[0]
    named = {
        rule
        for line in table.splitlines()
        if line.startswith("| `")
        for rule in re.findall(r"`([\w-]+)`", line.split("|")[1])
    }
    assert len(named) > 20
    assert {rule.lower() for rule in named} - set(ANCHORS) == set()
    assert set(RULES) <= named


def test_links_inside_the_theory_resolve():
    linked = set(re.findall(r"\]\(#([^)]+)\)", THEORY))
    assert linked - set(ANCHORS) == set()


def test_every_label_of_the_text_is_in_the_list():
    used = set(LABEL.findall(THEORY.split('<a id="sources"></a>')[0]))
    assert {label for label in used if label.lower() not in sources_list()} == set()


def test_every_statement_and_every_kind_of_claim_is_named():
    for kind in Statement.__subclasses__():
        assert kind.__name__ in THEORY, kind
    verdicts = THEORY.split('<a id="proved"></a>')[1].split('<a id="refuted"></a>')[0]
    assert verdicts.count("\n| ") == len(KINDS) + 1


def test_links_between_the_pages_resolve():
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:\s]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_paths_that_contributors_are_sent_to_exist():
    text = (DOCS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:certaudit|tests|docs)/[\w./-]+)`", text)
    assert len(paths) > 12
    for path in paths:
        missing_example = path.endswith("_x.py")
        assert missing_example or (DOCS.parent / path).exists(), path
