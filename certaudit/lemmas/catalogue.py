"""Every lemma, by rule."""

from __future__ import annotations

from certaudit.lemmas import affine, conversion, divergence, losses, pooling, renyi, steps
from certaudit.lemmas.lemma import Lemma
from certaudit.run import Run

LEMMAS: tuple[Lemma, ...] = (
    *losses.LEMMAS,
    *steps.LEMMAS,
    *affine.LEMMAS,
    *pooling.LEMMAS,
    *divergence.LEMMAS,
    *renyi.LEMMAS,
    *conversion.LEMMAS,
)

DEFINITIONS = {
    "given": "two Gaussian laws stated by the caller",
    "proved": "a bound at or below the claim",
    "refuted": "a bound above the claim",
}


def of_rule(rule: str, run: Run | None = None) -> tuple[Lemma, ...]:
    """The lemmas behind a rule's formulas that matter to the run (None: laws given without one)."""
    return tuple(lemma for lemma in LEMMAS if rule in lemma.rules and lemma.about(run))
