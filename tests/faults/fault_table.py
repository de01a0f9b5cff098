"""The suite's results; ``PYTHONPATH=. python tests/faults/fault_table.py`` writes docs/faults.md."""

from functools import cache
from pathlib import Path

from certificates import CERTIFICATES, judge
from implementation import Honest
from implementations import FAULTS
from judges import JUDGES, LEVEL

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SEED, HONEST_SEED = 7, 8

HEAD = f"""# Faults, and what catches them

`tests/faults` puts each fault below into a small run, or into its certificate, and asserts that the
half named finds it within the budget. Every fault has an honest twin, with the same run and budget,
which must pass. Seeds are fixed; with others, an honest twin of a statistical check would be refused
with probability at most {LEVEL:g}, and every fault is caught with ten seeds of ten
(`pytest -m statistics tests/faults`). `PYTHONPATH=. python tests/faults/fault_table.py` writes this
page; a test holds it current.

Budgets are shadow models in each world (conformance, attack) or recorded traces of world P (trace); a
proof needs none. A fault that only a trace is asked for changes the law of the released model too
little for a small budget, or breaks a run whose law is not known.

"""


@cache
def caught(index):
    """What the stated half finds in fault ``index``: names, empty if nothing."""
    fault = FAULTS[index]
    return JUDGES[fault.half](fault.kind(fault.run()), fault.run, fault.budget, SEED)


@cache
def alarm(index):
    """What it finds in the honest twin."""
    fault = FAULTS[index]
    return JUDGES[fault.half](Honest(fault.run()), fault.run, fault.budget, HONEST_SEED)


@cache
def issued(index):
    """Status of the faulty certificate ``index``."""
    return judge(*CERTIFICATES[index].issued())


@cache
def careful(index):
    """Status of its honest twin."""
    return judge(*CERTIFICATES[index].honest())


def page():
    """The whole page."""
    rows = []
    for k, fault in enumerate(FAULTS):
        by = ", ".join(sorted(dict.fromkeys(caught(k)))) or "MISSED"
        twin = "passes" if not alarm(k) else "REFUSED"
        rows.append([fault.name, fault.wrong, fault.half, str(fault.budget), by, twin])
    for k, one in enumerate(CERTIFICATES):
        by = issued(k).value if issued(k) is one.expect else "MISSED"
        rows.append([one.name, one.wrong, "proof", "-", by, careful(k).value])
    found = sum(row[4] != "MISSED" for row in rows)
    calm = sum(row[5] in ("passes", "proved") for row in rows)
    summary = f"{found} of {len(rows)} faults are caught; {calm} of {len(rows)} honest twins pass.\n\n"
    head = ["fault", "what is wrong", "half", "budget", "caught by", "honest twin"]
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * 6, *rows]]
    return HEAD + summary + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
