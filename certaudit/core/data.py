"""The rows of a run in balls, and what its labels must be."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from flint import arb, arb_mat

from certaudit.core.balls import ball, column, matrix, norm_squared
from certaudit.core.rule import Premise, PremiseFailed
from certaudit.losses import LOSSES
from certaudit.run import Batch, Run


def design(run: Run, batch: Batch) -> arb_mat:
    """X of the batch, (rows, d)."""
    rows = run.rows(batch)
    return matrix([run.X[j].tolist() for j in rows]) if rows else arb_mat(0, run.d)


def targets(run: Run, batch: Batch) -> arb_mat:
    """y of the batch, (rows, 1)."""
    return column(label(run, j) for j in run.rows(batch))


def row(run: Run, j: int) -> arb_mat:
    """Row j of X as a column, (d, 1)."""
    return column(run.X[j].tolist())


def row_norm(run: Run, j: int) -> arb:
    """Euclidean norm of row j."""
    return norm_squared(ball(x) for x in run.X[j].tolist()).sqrt()


def label(run: Run, j: int) -> float | Fraction:
    """y_j, exact."""
    value: float | Fraction = run.y[j : j + 1].tolist()[0]
    return value


def require_labels(rule: str, run: Run, rows: Iterable[int]) -> Premise:
    """The premise that the rows' labels are those the loss's facts hold for.

    Raises PremiseFailed, with the first label that is not, otherwise.
    """
    loss = LOSSES[run.loss]
    text = f"labels of the {loss.name} loss are {loss.labels}"
    for j in rows:
        value = label(run, j)
        if not loss.label_allowed(Fraction(value), run.classes):
            raise PremiseFailed(rule, Premise("labels", text, (("label", ball(value)),)))
    return Premise("labels", text)
