"""Reference numbers (400-bit ball arithmetic, made independently) and how to compare with them."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
from flint import arb

from certaudit.run import Phase, Reference, Request, Run, Start

FOLDER = Path(__file__).parent.parent / "golden"
GOLDEN = json.loads((FOLDER / "golden.json").read_text())
PUBLISHED = json.loads((FOLDER / "published.json").read_text())


def agrees(ball, digits):
    """Whether ``ball`` certainly equals the decimal ``digits`` up to one unit of its last digit."""
    if digits == "inf":
        return ball == arb("inf")
    significant = len(digits.split("e")[0].replace("-", "").replace(".", "").lstrip("0"))
    reference = arb(digits)
    return bool(abs(ball - reference) <= abs(reference) * arb(10) ** (1 - significant))


def ridge_run(row):
    """The run of a ``ridge_langevin`` row, with exact rational data."""
    step = Fraction(row["step_size"])
    data = np.array([[Fraction(x) for x in line] for line in row["X"]], dtype=object)
    return Run(
        X=data,
        y=np.array([Fraction(x) for x in row["y"]], dtype=object),
        loss="ridge",
        l2=Fraction(row["ridge"]),
        normalizer=row["normalizer"],
        learn=Phase(row["learn_steps"], step, Fraction(row["learn_noise_std"]) ** 2),
        requests=(
            Request(
                (row["removed_index"],),
                Phase(row["unlearn_steps"], step, Fraction(row["unlearn_noise_std"]) ** 2),
            ),
        ),
        start=Start((Fraction(0),) * data.shape[1], Fraction(0)),
        projection=None,
        clip=None,
        reference=Reference("unlearn-retrained", row["learn_steps"]),
        release="final",
    )
