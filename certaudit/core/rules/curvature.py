"""Curvature of the objective on a batch."""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, arb_mat

from certaudit.core.balls import ball, identity, largest, norm_bound, smallest
from certaudit.core.data import design, require_labels
from certaudit.core.rule import Conclusion, NotApplicable, Premise, Rule, Undecided, numbers
from certaudit.core.statement import Curvature, Statement
from certaudit.core.term import Formula, symbols, term
from certaudit.losses import LOSSES
from certaudit.run import Batch, Run

beta, lam, count, least, most, trace, size = symbols("beta lambda N kappa_min kappa_max tau n_w")
m, L = symbols("m L")

STRONG = Formula(m, lam + least / count)
SMOOTH = Formula(L, beta * most / count + lam)
FLAT = Formula(m, term(0))
CLIPPED_OUTSIDE = Formula(L, beta * trace / count)
CLIPPED_INSIDE = Formula(L, (beta * trace + size * lam) / count)


@dataclass(frozen=True)
class Witness:
    """``vectors``: nearly orthonormal, nearly eigenvectors of X^T X, as the columns of a d x d table."""

    batch: Batch
    vectors: tuple[tuple[float, ...], ...]


def curvature(run: Run, uses: tuple[Statement, ...], witness: Witness) -> Conclusion:
    """m <= every curvature <= L, with m = lambda + kappa_min/N and L = beta kappa_max/N + lambda.

    kappa_min and kappa_max enclose the spectrum of G = X^T X on the batch: with V the witness,
    Gershgorin's discs of V^T G V lie in [low, high], and |V^T V - I| <= v < 1 gives low/(1+v) <= kappa
    (low >= 0, as G is positive semidefinite) and kappa <= high/(1-v).
    A clip of the loss part keeps a loss of a margin convex but takes its strong convexity (m = lambda).
    Any other clip takes convexity: L then adds the Lipschitz constants of the clipped gradients and m is
    the regularizer outside the clip.  Inside it counts once for each row left, and m = 0.
    """
    loss = LOSSES[run.loss]
    if loss.curvature is None:
        raise NotApplicable(RULE.id, f"the loss of a {run.loss} has no known curvature")
    rows = run.rows(witness.batch)
    if not all(j in range(run.n) for j in rows):
        raise NotApplicable(RULE.id, "the batch names a row that the data lack")
    labels = require_labels(RULE.id, run, rows)
    x = design(run, witness.batch)
    gram = x.transpose() * x
    low, high = _spectrum(gram, witness)
    clip = run.clip
    values = {
        least: low if loss.quadratic and clip is None else arb(0),
        most: high,
        lam: ball(run.l2),
        count: arb(run.count(witness.batch)),
        beta: ball(loss.curvature),
        trace: sum((gram[i, i] for i in range(run.d)), arb(0)),
        size: arb(len(rows)),
    }
    convex = clip is None or (loss.margin and not clip.regularizer)
    strong = FLAT if clip is not None and clip.regularizer else STRONG
    clipped = CLIPPED_INSIDE if strong is FLAT else CLIPPED_OUTSIDE
    smooth = SMOOTH if convex else clipped
    text = "kappa_min I <= X^T X <= kappa_max I on the rows of the batch"
    return Conclusion(
        Curvature(witness.batch, strong.at(values), smooth.at(values), convex),
        (Premise("spectrum", text, numbers(kappa_min=low, kappa_max=high)), labels),
        ((strong, values), (smooth, values)),
    )


def _spectrum(gram: arb_mat, witness: Witness) -> tuple[arb, arb]:
    d = gram.nrows()
    if len(witness.vectors) != d or any(len(row) != d for row in witness.vectors):
        raise Undecided(RULE.id, "the eigenvectors must be a square table of the gradient's dimension")
    basis = arb_mat([[ball(x) for x in row] for row in witness.vectors])
    turned = basis.transpose() * gram * basis
    apart = norm_bound((basis.transpose() * basis - identity(d)).entries())
    if not apart < 1:
        raise Undecided(RULE.id, "the eigenvectors are not nearly orthonormal")
    discs = [
        (turned[i, i], sum((abs(turned[i, j]) for j in range(d) if j != i), arb(0))) for i in range(d)
    ]
    low = smallest(centre - reach for centre, reach in discs).max(arb(0)) / (1 + apart)
    high = largest(centre + reach for centre, reach in discs) / (1 - apart)
    if not (low.is_finite() and high.is_finite()):
        raise Undecided(RULE.id, "the spectrum of X^T X could not be enclosed")
    return low, high


RULE = Rule(
    "curvature",
    "Strong convexity and smoothness of the objective",
    "theory.md#curvature; Weyl's inequality, Gershgorin's theorem",
    Witness,
    curvature,
)
