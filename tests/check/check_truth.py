"""Whether a derivation file that was altered still says only what is true, by the prover's word."""

from fractions import Fraction as Fr

import numpy as np

from certaudit.claims import EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.prove.evidence import Evidence
from certaudit.prove.verify import verify
from certaudit.run import Clip, Network, Phase, Reference, Request, Run, Start

KINDS = {
    "epsilon-delta": (EpsilonDelta, ("epsilon", "delta")),
    "renyi": (RenyiClaim, ("order", "renyi")),
    "gaussian": (GaussianClaim, ("mu", "delta")),
    "sensitivity": (SensitivityClaim, ("step", "sensitivity", "probability")),
}


def run_of(stated):
    """The run that a file states."""

    def number(text):
        return None if text is None else Fr(text)

    def phase(one):
        batches = tuple(map(tuple, one["batches"]))
        return Phase(one["steps"], Fr(one["step_size"]), Fr(one["noise_variance"]), batches)

    def network(one):
        image = None if one["image"] is None else tuple(one["image"])
        return Network(one["kind"], tuple(one["widths"]), one["activation"], image, one["kernel"])

    clip, reference, start = stated["clip"], stated["reference"], stated["start"]
    changed = {
        "X": np.array(stated["X"], dtype=float),
        "y": np.array(stated["y"], dtype=float),
        "l2": Fr(stated["l2"]),
        "learn": phase(stated["learn"]),
        "requests": tuple(Request(tuple(r["rows"]), phase(r["unlearn"])) for r in stated["requests"]),
        "start": Start(tuple(map(Fr, start["mean"])), Fr(start["variance"])),
        "projection": number(stated["projection"]),
        "clip": None if clip is None else Clip(Fr(clip["norm"]), clip["regularizer"]),
        "reference": Reference(
            reference["kind"],
            reference["steps"],
            number(reference["unlearn_variance"]),
            number(reference["output_variance"]),
        ),
        "output_variance": Fr(stated["output_variance"]),
        "threshold": number(stated["threshold"]),
        "network": None if stated["network"] is None else network(stated["network"]),
        "assumptions": tuple(stated["assumptions"]),
    }
    return Run(**{**stated, **changed})


def claim_of(stated):
    """A claim that a file states."""
    kind, numbers = KINDS[stated["kind"]]
    values = [Fr(stated[name]) if name != "step" else stated[name] for name in numbers]
    if kind is SensitivityClaim:
        return kind(stated["id"], *values)
    return kind(stated["id"], *values, tuple(stated["directions"]), None, stated["after"])


def prover_agrees(content):
    """Whether the prover gives every claim of the file the verdict that the file states."""
    claims = content["claims"]
    verdicts = verify(Evidence(run_of(content["run"])), [claim_of(claim) for claim in claims])
    return all(v.status.value == c["verdict"] for v, c in zip(verdicts, claims, strict=True))
