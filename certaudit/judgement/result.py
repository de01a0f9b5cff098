"""The one result of a report, and what stands against PASS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum


class Result(Enum):
    """PASS: nothing is missing and nothing objects.  FAIL: something objects.  OPEN: something that PASS
    needs is missing.  ERROR: nothing could be judged."""

    PASS = "PASS"
    FAIL = "FAIL"
    OPEN = "OPEN"
    ERROR = "ERROR"


WORST_FIRST = (Result.FAIL, Result.ERROR, Result.OPEN, Result.PASS)


def worst(results: Iterable[Result]) -> Result:
    """FAIL wins over ERROR, ERROR over OPEN, OPEN over PASS; of nothing, ERROR."""
    return min(results, key=WORST_FIRST.index, default=Result.ERROR)


@dataclass(frozen=True)
class Objection:
    """Why the result is not PASS: ``result`` is what it becomes (FAIL or OPEN), ``text`` the reason."""

    result: Result
    text: str


@dataclass(frozen=True)
class Judgement:
    """A result, its reason in plain words, and what was let pass by name although it was not checked."""

    result: Result
    reason: str
    exceptions: tuple[str, ...] = ()


MOST_REASONS = 3


def together(objections: Sequence[Objection]) -> Judgement:
    """The worst result among objections, and the reasons for it (at least one objection)."""
    result = worst(one.result for one in objections)
    return Judgement(result, together_texts(one.text for one in objections if one.result is result))


def together_texts(texts: Iterable[str]) -> str:
    """A few texts in one line, each once, and how many more there are."""
    once = list(dict.fromkeys(texts))
    more = f"; and {len(once) - MOST_REASONS} more" if len(once) > MOST_REASONS else ""
    return "; ".join(once[:MOST_REASONS]) + more


def overall(judged: Sequence[tuple[str, Judgement]]) -> Judgement:
    """The result of several reports, each with its name: the worst, with the reason of each that has
    it."""
    if len(judged) == 1:
        return judged[0][1]
    result = worst(one.result for _, one in judged)
    having = [(name, one) for name, one in judged if one.result is result]
    share = f"{len(having)} of {len(judged)}" if len(having) < len(judged) else f"all {len(judged)}"
    shown = together_texts(f"{name}: {one.reason}" for name, one in having)
    exceptions = tuple(f"{name}: {text}" for name, one in judged for text in one.exceptions)
    return Judgement(result, f"{share} reports: {shown}", exceptions)
