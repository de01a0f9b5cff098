"""What a report takes for granted and nothing checks, and whom its claims say nothing about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from certaudit.claims import Claim, EpsilonDelta, GaussianClaim
from certaudit.report.numbers import up
from certaudit.run import Run

Told = Callable[[Run, Sequence[Claim]], str]


@dataclass(frozen=True)
class Assumption:
    """One thing taken for granted: its name, and what is said (nothing where it matters not)."""

    name: str
    told: Told


def _requests(run: Run, claims: Sequence[Claim]) -> str:
    if run.release == "before-and-after":
        return (
            "the rows to be forgotten were chosen without looking at a released model, or, each row "
            "by itself, from the learned model alone"
        )
    return (
        "the rows to be forgotten were chosen without looking at any released model: chosen from "
        "the learned "
        "model they have no more protection than release before-and-after gives"
    )


def _reference(run: Run, claims: Sequence[Claim]) -> str:
    law = run.reference
    made = (
        f"{law.steps} steps of learning without the rows"
        if law.kind == "retrained"
        else "learning without the rows, then the same unlearning"
    )
    other = law.unlearn_variance is not None or law.output_variance is not None
    noise = "noise of its own, as stated" if other else "the run's own noise"
    return (
        f"the reference ({made}, with {noise}) is what a model that never saw the rows would be; "
        "the claims say nothing of a reference without noise or with another"
    )


def _adjacency(run: Run, claims: Sequence[Claim]) -> str:
    return (
        "the rows are deleted in the reference, not replaced by others: a replacement can tell up "
        "to twice as much"
    )


def _normalizer(run: Run, claims: Sequence[Claim]) -> str:
    if run.normalizer == "fixed":
        return (
            "the code divides by the number of rows before the deletion, after it and in the "
            "reference too: what divides by the rows that are left needs normalizer current"
        )
    if run.normalizer == "current":
        return "the code divides by the number of rows that are left, and the number of rows is public"
    return ""


def _statistics(run: Run, claims: Sequence[Claim]) -> str:
    return (
        "no statistic of the data outlives the deletion elsewhere: one that was computed with a row "
        "in (a scaler, a vocabulary, a cache) is a copy of the row, which nothing here deletes"
    )


def _tuning(run: Run, claims: Sequence[Claim]) -> str:
    return (
        "step sizes, numbers of steps, noise and penalty are public: what was tuned with a row in "
        "remembers it, and no claim covers that"
    )


def _delta(run: Run, claims: Sequence[Claim]) -> str:
    large = [c.id for c in claims if isinstance(c, EpsilonDelta | GaussianClaim) and c.delta * run.n > 1]
    if not large:
        return ""
    return (
        f"delta of {', '.join(large)} is above 1/n = {up(Fraction(1, run.n))}: publishing one row "
        "of the data, drawn at random, would satisfy such a claim"
    )


ASSUMPTIONS = (
    Assumption("requests", _requests),
    Assumption("reference", _reference),
    Assumption("adjacency", _adjacency),
    Assumption("normalizer", _normalizer),
    Assumption("statistics", _statistics),
    Assumption("tuning", _tuning),
    Assumption("delta", _delta),
)


def assumed(run: Run, claims: Sequence[Claim]) -> Iterator[str]:
    """Everything taken for granted of a run and its claims, the spec's own sentences first."""
    yield from run.assumptions
    yield from (told for one in ASSUMPTIONS if (told := one.told(run, claims)))


OBSERVERS = {
    "final": "the final model",
    "before-and-after": "the learned model and the final one",
    "every-step": "every iterate",
}
UNSEEN = {
    "final": "a holder of the model before the deletion (release: before-and-after is about that one)",
    "before-and-after": "who sees iterates between the two models (release: every-step is about "
    "that one)",
    "every-step": "",
}
ATTACKED = {
    "final": "",
    "before-and-after": "the attacks are given the learned model and the final one, side by side",
    "every-step": "the attacks are given the final model alone: what the iterates before it tell, "
    "only the proofs see",
}


def unseen(run: Run) -> Iterator[str]:
    """In one line, whom the claims say nothing about."""
    if UNSEEN[run.release]:
        yield f"not about   {UNSEEN[run.release]}"
