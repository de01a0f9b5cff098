"""Every field of small certificates altered and sealed again: what is accepted is true all the same."""

import random

import pytest
from forge_confirm import confirmed, trust
from forge_files import BUILDERS, certificate
from forge_judges import judge, resealed
from forge_mutants import mutants

FEW = 40
QUICK = [name for name in BUILDERS if name != "plane_exact"]


def _false(name, chosen):
    """Mutants that a checker accepts though nothing shows that they are true."""
    trust(certificate(name))
    return [
        what for what, content in chosen if judge(resealed(content)).accepted and not confirmed(content)
    ]


@pytest.mark.parametrize("name", BUILDERS)
def test_the_certificates_are_accepted_by_both(name):
    found = judge(resealed(certificate(name)))
    assert found.core
    assert found.check


def test_every_rule_is_met():
    from certaudit.core.rules import RULES

    met = {line["rule"] for name in BUILDERS for p in certificate(name)["proofs"] for line in p["lines"]}
    assert met == set(RULES)


@pytest.mark.parametrize("name", QUICK)
def test_some_altered_certificates(name):
    every = list(mutants(certificate(name)))
    assert not _false(name, random.Random(9).sample(every, FEW))


@pytest.mark.statistics
@pytest.mark.parametrize("name", BUILDERS)
def test_all_altered_certificates(name):
    assert not _false(name, mutants(certificate(name)))
