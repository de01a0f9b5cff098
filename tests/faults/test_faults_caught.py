"""Every fault is caught by the half that must catch it, and no honest twin is refused.

Seeds are fixed; each honest twin of a statistical check would be refused with probability at most
LEVEL = 0.001 under another seed, so all of them together with probability below 0.05.
"""

import fault_table as table
import pytest
from certificates import CERTIFICATES
from deletions import FAULTS
from judges import JUDGES

from certaudit.verdict import Status


def each(faults):
    return pytest.mark.parametrize("index", range(len(faults)), ids=[fault.name for fault in faults])


@each(FAULTS)
def test_an_implementation_fault_is_caught(index):
    assert table.caught(index)


@each(FAULTS)
def test_its_honest_twin_passes(index):
    assert not table.alarm(index)


@each(CERTIFICATES)
def test_a_certificate_fault_is_caught(index):
    assert table.issued(index) is CERTIFICATES[index].expect


@each(CERTIFICATES)
def test_its_honest_certificate_is_proved(index):
    assert table.careful(index) is Status.PROVED


@pytest.mark.statistics
@each(FAULTS)
def test_an_implementation_fault_is_caught_with_other_seeds(index):
    fault = FAULTS[index]
    judge = JUDGES[fault.half]
    for seed in range(10):
        assert judge(fault.kind(fault.run()), fault.run, fault.budget, seed)


@pytest.mark.statistics
@each(FAULTS)
def test_its_honest_twin_passes_with_other_seeds(index):
    """Ten audits at level 0.001: one of them objects to an honest twin with probability at most 0.01."""
    fault = FAULTS[index]
    judge = JUDGES[fault.half]
    for seed in range(10):
        assert not judge(fault.twin(fault.run()), fault.run, fault.budget, seed)


def test_there_are_enough_faults_and_names_are_unique():
    names = [fault.name for fault in (*FAULTS, *CERTIFICATES)]
    assert len(names) == len(set(names))
    assert len(names) >= 25


def test_the_table_in_the_docs_is_current():
    assert table.PAGE.read_text() == table.page()
