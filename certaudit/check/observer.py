"""O1: who sees the learned model and the final one learns what the learned model tells."""

from __future__ import annotations

from dataclasses import replace

from .run import Phase, Request, Run

SEES = ("final", "before-and-after", "every-step")


def told(run: Run) -> Run:
    """A run that releases its final model alone, as far apart in the two worlds as what ``run`` shows.

    Where both worlds take the learned model through the same phases on the same batches and add no noise
    to what they release, the final model is drawn from the learned one by one law in both worlds: as if
    nothing had been unlearned.  Where they do not, or for other observers, the run as it is.
    """
    ours, theirs = run.program("P")[1:], run.program("Q")[1:]
    alike = len(ours) == len(theirs) and all(
        phase == other and _alike(phase, gone ^ gone_there)
        for (phase, gone), (other, gone_there) in zip(ours, theirs, strict=True)
    )
    silent = not run.output_noise("P") and not run.output_noise("Q")
    if run.release != "before-and-after" or not alike or not silent:
        return run
    idle = tuple(Request(one.rows, replace(one.unlearn, steps=0)) for one in run.requests)
    return replace(run, requests=idle, release="final")


def _alike(phase: Phase, differing: frozenset[int]) -> bool:
    """Whether no batch of the phase has a row that is gone in one world only."""
    return not differing or (bool(phase.batches) and all(map(differing.isdisjoint, phase.batches)))


def at_least(observer: str, release: str) -> bool:
    """Whether that observer sees all that is released."""
    return observer in SEES[SEES.index(release) :]
