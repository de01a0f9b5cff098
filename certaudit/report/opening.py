"""How a derivation begins: the objective, the loss and its derivative, the step, the deletion."""

from __future__ import annotations

from collections.abc import Iterator

from certaudit.core.observer import ONE_KERNEL, subject
from certaudit.core.rule import NotApplicable
from certaudit.core.term import Formula, symbol
from certaudit.losses import LOSSES
from certaudit.report.derivation import formula_text, line
from certaudit.report.numbers import exact
from certaudit.run import Run

DIVISOR = {
    "fixed": "the rows of the step before any deletion",
    "current": "the rows of the step that are left",
    "sum": "1",
}
DELETION = {
    "fixed": "(eta/N) sum over F of grad loss_i",
    "sum": "eta sum over F of grad loss_i",
    "current": "(eta/N)(sum over F of grad loss_i - (k/n_kept) sum over the rest of grad loss_j)",
}


def opening(run: Run, *, latex: bool = False) -> Iterator[str]:
    """The run's objective and one step of it, a line each."""
    loss = LOSSES[run.loss]
    yield line(
        "objective",
        f"F(w) = (1/N) sum_j loss(u_j) + (lambda/2) |w|^2, u_j = {_margin(run)}, "
        f"lambda = {exact(run.l2)}, N = {DIVISOR[run.normalizer]}",
    )
    yield line("loss", f"loss(u) = {loss.formula}")
    if loss.slope is not None:
        slope = formula_text(Formula(symbol("loss'(u)"), loss.slope), latex)
        yield line("gradient", f"grad loss = loss'(u) x, {slope}")
    elif run.network is not None:
        yield line("gradient", "grad loss of the whole network; nothing is asked of it but its clip")
    else:
        yield line(
            "gradient",
            "grad loss = x (p - e_y)^T with p_j = exp(u_j)/sum of exp(u) (lemma softmax-gradient)",
        )
    if run.clip is not None:
        inside = "with lambda w, " if run.clip.regularizer else ""
        yield line("clip", f"each grad loss, {inside}cut to norm {exact(run.clip.norm)}")
    step = "w - eta grad F(w) + N(0, sigma^2 I)"
    ball = "" if run.projection is None else f", then projected onto |w| <= {exact(run.projection)}"
    yield line("step", f"w <- {step}{ball}")
    if run.release == "before-and-after":
        yield line("seen", _pair(run))
    yield line("deletion", f"without the rows F a step moves by {DELETION[run.normalizer]}")


def _pair(run: Run) -> str:
    try:
        subject(run)
    except NotApplicable as refusal:
        return f"the learned model and the final one; not by the learned model alone, as {refusal.text}"
    return f"the learned model and the final one; O1: {ONE_KERNEL.text}"


def _margin(run: Run) -> str:
    if run.network is not None:
        return "the network's outputs at x_j"
    return "x_j.w" if LOSSES[run.loss].margin else "W^T x_j"
