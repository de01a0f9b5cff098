"""The suite's results; ``PYTHONPATH=. python tests/faults/fault_table.py`` writes docs/faults.md."""

from functools import cache
from pathlib import Path

from certificates import CERTIFICATES, judge
from deletions import FAULTS
from judges import JUDGES, LEVEL

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SEED, HONEST_SEED = 7, 8


def head():
    """What stands above the table."""
    return f"""# Faults, and what catches them

`tests/faults` puts each fault below into a small run, or into its certificate, and asserts that the
half named finds it within the budget. Every fault has an honest twin, with the same run and budget,
which must pass. Seeds are fixed; with others, an honest twin of a statistical check would be refused
with probability at most {LEVEL:g}. With ten seeds every fault is caught ten times and no twin is refused
(`pytest -m statistics tests/faults`). `PYTHONPATH=. python tests/faults/fault_table.py` writes this
page; a test holds it current.

| half | what it is given |
| --- | --- |
| conformance | so many models of each world, beside their exact law (ridge) |
| own models | so many models of each world, beside twice as many of certaudit's own (any loss) |
| attack | so many models of each world, and nothing of how they were made |
| trace | so many recorded traces of world P |
| proof | the certificate |

## What only a trace shows

The law of a released model is that of a sum over all its steps. What changes each step a little,
and leaves the variance as it was, hardly shows in it: {trace_only()}. With 1000 models of each
world against their exact law neither is seen in any of ten seeds. With 4000, uniform noise is seen
in ten of ten where a step forgets a third of what was before it, and in none where it forgets a
thirtieth: the sum of many draws is Gaussian. Noise in half precision, which moves a draw by less
than a thousandth of its size, is seen in none.

## The faults

"""


def trace_only():
    """The faults of noise that keep its variance."""
    names = [f.name for f in FAULTS if f.name in ("uniform-noise", "float16-noise")]
    assert all(f.half == "trace" for f in FAULTS if f.name in names)
    return " and ".join(f"`{name}`" for name in names)


@cache
def caught(index):
    """What the stated half finds in fault ``index``: names, empty if nothing."""
    fault = FAULTS[index]
    return JUDGES[fault.half](fault.kind(fault.run()), fault.run, fault.budget, SEED)


@cache
def alarm(index):
    """What it finds in the honest twin."""
    fault = FAULTS[index]
    return JUDGES[fault.half](fault.twin(fault.run()), fault.run, fault.budget, HONEST_SEED)


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
    titles = ["fault", "what is wrong", "half", "budget", "caught by", "honest twin"]
    lines = ["| " + " | ".join(row) + " |" for row in [titles, ["---"] * 6, *rows]]
    return head() + summary + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
