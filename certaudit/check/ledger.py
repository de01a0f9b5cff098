"""The ledger: every rule a derivation may use, its words, what it rests on, and how it is recomputed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from certaudit.check import conversion, gaussian, steps
from certaudit.check.known import Known, Stage

Compute = Callable[[Stage, dict[str, Any], Sequence[Known]], Known]


class Entry(NamedTuple):
    """Title and source; the (rules, kind) of each step used, and of any number of further ones."""

    title: str
    source: str
    uses: tuple[tuple[str, str], ...]
    further: tuple[str, str] | None
    compute: Compute | None


LAW = (("E1", "law"),)
PAIR = (("E2", "pair"),)
STEPS = ("contraction", "contraction")
SHIFTS = (("S1 S2 S3 S4 S1-drift", "sensitivity"),)
GAUSSIAN = (("I1 I2", "gaussian-dp"),)
RENYI = (("E3 R1 R2 R4", "renyi"),)
RESIDUALS = (("residual-law", "residual-law"),)
S3 = "Per-instance high-probability sensitivity for ridge, both runs"
BAC26 = "section 3; BAC26, repaired by clipping at the bound"

LEDGER: dict[tuple[str, str], Entry] = {
    ("curvature", "curvature"): Entry(
        "Strong convexity and smoothness of the objective",
        "section 2; Weyl's inequality, positive definiteness by Cholesky factorization in balls",
        (), None, steps.curvature,
    ),
    ("contraction", "contraction"): Entry(
        "Lipschitz constant of one gradient step",
        "section 2; Bubeck 2015, Convex Optimization, Theorem 3.12",
        (("curvature", "curvature"),), None, steps.contraction,
    ),
    ("S1", "sensitivity"): Entry(
        "Worst-case sensitivity of one step", "section 3; CHI24a, NEE21", (), None, steps.worst_case
    ),
    ("S2", "sensitivity"): Entry(
        "Per-instance sensitivity of one step", "section 3; BAC26", (), None, steps.per_instance
    ),
    ("S1-drift", "sensitivity"): Entry(
        "Bounded gradients in both worlds, contraction by the regularizer alone",
        "section 4, clipped non-convex training; KOL25",
        (), None, steps.bounded_drift,
    ),
    ("residual-law", "residual-law"): Entry(
        "Gaussian law of the removed points' residuals", "section 3; BAC26",
        (), STEPS, steps.residual_law,
    ),
    ("S3", "sensitivity"): Entry(S3, BAC26, RESIDUALS, None, steps.high_probability),
    ("S3", "exceedance"): Entry(S3, BAC26, RESIDUALS, None, steps.exceedance),
    ("margin-law", "margin-law"): Entry(
        "Concentration of the removed points' margins", "section 3", (), STEPS, steps.margin_law
    ),
    ("S4", "sensitivity"): Entry(
        "Per-instance high-probability sensitivity for losses of a margin, both runs",
        "section 3; Gaussian concentration and Poincaré inequalities",
        (("margin-law", "margin-law"),), None, steps.margin_sensitivity,
    ),
    ("I1", "gaussian-dp"): Entry(
        "Contractive noisy iteration", "section 4; BSA24 in its general form",
        SHIFTS, STEPS, conversion.contractive_iteration,
    ),
    ("I2", "gaussian-dp"): Entry(
        "Adaptive composition of every released step", "section 4; Dong, Roth, Su 2022",
        SHIFTS, None, conversion.composition,
    ),
    ("R1", "renyi"): Entry(
        "Gaussian DP gives every Rényi order", "section 5; Dong, Roth, Su 2022",
        GAUSSIAN, None, conversion.renyi_of_gaussian,
    ),
    ("R2", "renyi"): Entry(
        "Decay of Rényi divergence while both runs follow one kernel",
        "section 5; CHI24a, from VW19, Lemma 5",
        (("R4", "renyi"),), STEPS, conversion.decay,
    ),
    ("R4", "renyi"): Entry(
        "Per-instance adaptive composition for ridge", "section 5; THU24, SEP25 (Hölder's inequality)",
        RESIDUALS, None, conversion.adaptive,
    ),
    ("C1", "epsilon"): Entry(
        "Rényi to (epsilon, delta)", "section 6; MIR17, Proposition 3", RENYI, None, conversion.mironov
    ),
    ("C2", "epsilon"): Entry(
        "Rényi to (epsilon, delta), improved", "section 6; CKS20, Proposition 12",
        RENYI, None, conversion.improved,
    ),
    ("C3", "hockey-stick"): Entry(
        "Rényi to (epsilon, delta), optimal for one order", "section 6; ALC20, Theorem 2",
        RENYI, None, conversion.optimal,
    ),
    ("C5", "hockey-stick"): Entry(
        "Gaussian DP to (epsilon, delta), exact", "section 6; Dong, Roth, Su 2022",
        GAUSSIAN, None, conversion.hockey_stick_of_gaussian,
    ),
    ("C5-cover", "gaussian-dp"): Entry(
        "Gaussian DP with slack from finitely many epsilon", "section 6, C5",
        (), ("C3 C5 C6 C6-1d", "hockey-stick"), conversion.cover,
    ),
    ("E1", "law"): Entry(
        "Exact Gaussian laws of an affine run", "section 7", (), None, gaussian.affine_law
    ),
    ("E2", "pair"): Entry(
        "Whitened pair in tridiagonal form", "section 7; Householder 1958", LAW, None, gaussian.whiten
    ),
    ("E3", "renyi"): Entry(
        "Exact Rényi divergence of two Gaussians", "section 7; Gil et al. 2013",
        PAIR, None, gaussian.exact_renyi,
    ),
    ("C6", "hockey-stick"): Entry(
        "Exact hockey-stick divergence from the Rényi function", "section 6; ALG22",
        PAIR, None, gaussian.hockey_stick,
    ),
    ("C6-1d", "hockey-stick"): Entry(
        "Exact hockey-stick divergence in one dimension", "Neyman–Pearson lemma",
        PAIR, None, gaussian.line,
    ),
    ("C6-event", "hockey-stick"): Entry(
        "The hockey-stick divergence is at least that of one event", "definition",
        PAIR, None, gaussian.half_space,
    ),
    ("proved", "verdict"): Entry(
        "A sound upper bound lies at or below the claim", "section 9", (), None, None
    ),
    ("refuted", "verdict"): Entry(
        "A proved lower bound lies above the claim", "section 9", (), None, None
    ),
}  # fmt: skip

VERDICTS = {"proved": "bound <= claimed", "refuted": "bound > claimed"}
