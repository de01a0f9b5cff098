"""The words of verdicts."""

from __future__ import annotations

from collections.abc import Iterator

from certaudit.explain.topic import Topic
from certaudit.verdict import Status

WORDS = {
    Status.PROVED: (
        "an enclosure of a sound upper bound lies at or below the claim",
        "It is about the run that the spec describes, in exact arithmetic, under the assumptions that "
        "the report lists. It says nothing about code that does something else.",
    ),
    Status.REFUTED: (
        "a proved lower bound lies above the claim",
        "The run that the spec describes breaks the claim, whatever any attack finds.",
    ),
    Status.REFUTED_STATISTICALLY: (
        "shadow models reject the claim at the stated confidence",
        "If the claim is proved as well, the code does not do what the spec says, or the audit hit its "
        "false-alarm rate.",
    ),
    Status.NOT_PROVED: (
        "no rule applies, or the best proved bound is above the claim",
        "The claim may still be true. That no attack succeeded is no proof.",
    ),
    Status.PREMISE_FAILED: (
        "the run breaks what a theorem needs",
        "The theorem that the claim names, or contraction where the exact law is not known; the report "
        "gives the numbers. Nothing else decides the claim.",
    ),
    Status.NOT_STATED: (
        "no dynamics are stated, so there is nothing to prove",
        "The spec leaves its dynamics unknown: its code is attacked, and nothing is proved of it.",
    ),
    Status.IMPLEMENTATION_DIFFERS: (
        "shadow models, or a recorded trace, break the law of the spec's run",
        "It is about the code, not about a claim: what is proved about the spec stays proved.",
    ),
}


def topics() -> Iterator[Topic]:
    """Every verdict."""
    for status, (title, text) in WORDS.items():
        yield Topic(status.value, "verdict", title, (text,), where="docs/theory.md#section-8")
