"""O1: whoever holds the models before and after learns what the model before reveals."""

from __future__ import annotations

from dataclasses import replace

from certaudit.core.rule import NotApplicable, Premise
from certaudit.run import Request, Run

ID = "O1"
ONE_KERNEL = Premise(
    "one kernel after the first release",
    "given the learned model both worlds unlearn by one and the same random map, without output noise, "
    "so that the pair of models has the divergences of the learned model",
)


def subject(run: Run) -> Run:
    """The run whose final model has exactly the divergences of what an observer of ``run`` sees.

    Before and after: the pair is the learned model and a random function of it, the same function in
    both worlds, and the learned model is part of the pair; data processing, both ways.  So unlearning
    does nothing, and the run is taken with no unlearning steps.  Other observers: the run itself.
    Raises NotApplicable where the premise ``ONE_KERNEL`` does not hold.
    """
    if run.release != "before-and-after":
        return run
    if run.reference.kind != "unlearn-retrained":
        raise NotApplicable(ID, "the reference has no model before unlearning")
    if run.output_noise("P") != 0 or run.output_noise("Q") != 0:
        raise NotApplicable(ID, "noise is added to what is released")
    for first, second in zip(run.program("P")[1:], run.program("Q")[1:], strict=True):
        if first.phase != second.phase or first.batches() != second.batches():
            raise NotApplicable(ID, "the two worlds unlearn differently from the learned model on")
    idle = tuple(Request(one.rows, replace(one.unlearn, steps=0)) for one in run.requests)
    return replace(run, requests=idle, release="final")
