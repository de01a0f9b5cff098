"""The last step: a claim is proved or refuted by statements, or it is neither (section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp
from flint import arb

from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim, SensitivityClaim
from certaudit.kernel.balls import ball
from certaudit.kernel.conversion import gaussian_delta
from certaudit.kernel.sensitivity import shift_at
from certaudit.kernel.statement import Rule, Statement
from certaudit.run import Run

PROVED = Rule("proved", "A sound upper bound lies at or below the claim", "section 9")
REFUTED = Rule("refuted", "A proved lower bound lies above the claim", "section 9")
COVER = Rule("C5-cover", "Gaussian DP with slack from finitely many epsilon", "section 6, C5")

bound, claimed = sp.symbols("bound claimed", nonnegative=True)


def prove(run: Run, claim: Claim, evidence: Sequence[Statement]) -> Statement | None:
    """A ``proved`` statement if the evidence certainly proves ``claim`` of ``run``, else None.

    Every direction the claim names must be covered, and an observer at least as strong as the one
    the run releases to.
    """
    if not _about(claim, run):
        return None
    used: list[Statement] = []
    for needed in _cases(claim):
        found = next(
            (e for e in evidence if e.subject is run and _covers(run, claim, needed, e)),
            None,
        )
        if found is None:
            return None
        used.append(found)
    return PROVED.conclude(
        "verdict",
        formulas=(sp.Le(bound, claimed),),
        values={},
        exact={"claim": claim.id},
        uses=tuple(dict.fromkeys(used)),
        subject=run,
    )


def refute(run: Run, claim: Claim, evidence: Sequence[Statement]) -> Statement | None:
    """A ``refuted`` statement if one exact value certainly breaks ``claim``, else None.

    A divergence of the final models is a lower bound for every observer.
    """
    for statement in evidence if _about(claim, run) else ():
        if statement.subject is run and _breaks(run, claim, statement):
            return REFUTED.conclude(
                "verdict",
                formulas=(sp.Gt(bound, claimed),),
                values={},
                exact={"claim": claim.id},
                uses=(statement,),
                subject=run,
            )
    return None


def gaussian_cover(sticks: Sequence[Statement], mu: Fraction, slack: Fraction) -> Statement | None:
    """Gaussian DP (mu, slack) of one direction from its hockey sticks at 0 = e_0 < ... < e_k.

    delta(epsilon) falls with epsilon, so delta(e_j) <= delta_mu(e_{j+1}) + slack proves the interval
    [e_j, e_{j+1}], and delta(e_k) <= slack the rest.  Epsilon below 0 in one direction follows from
    epsilon above 0 in the other, which a claim about both directions covers as well.
    """
    first = sticks[0]
    levels = [stick.exact["epsilon"] for stick in sticks]
    if (
        any(
            e.kind != "hockey-stick"
            or not _from_above(e)
            or e.exact["directions"] != first.exact["directions"]
            or e.exact["observer"] != first.exact["observer"]
            for e in sticks
        )
        or levels[0] != 0
        or sorted(levels) != levels
    ):
        raise TypeError("C5-cover: hockey sticks of one direction, from epsilon 0 upwards")
    allowances = [gaussian_delta(mu, level) + ball(slack) for level in levels[1:]] + [ball(slack)]
    if not all(
        stick.ball("delta") <= allowance for stick, allowance in zip(sticks, allowances, strict=True)
    ):
        return None
    return COVER.conclude(
        "gaussian-dp",
        formulas=(),
        values={"mu": ball(mu), "delta": ball(slack)},
        exact={
            "directions": first.exact["directions"],
            "observer": first.exact["observer"],
            "half": "epsilon >= 0",
            "mu": mu,
            "delta": slack,
        },
        uses=tuple(sticks),
        subject=first.subject,
    )


def _about(claim: Claim, run: Run) -> bool:
    """Whether the claim is about the model released after the run's last request."""
    return getattr(claim, "after", None) in (None, len(run.requests))


def _cases(claim: Claim) -> tuple[str, ...]:
    if isinstance(claim, SensitivityClaim):
        return ("P", "Q")
    return claim.directions


def _from_above(e: Statement) -> bool:
    """Whether the divergence is at most what is stated: always for (epsilon, delta) and Gaussian DP; a
    statement of another kind must say so."""
    return e.kind in ("epsilon", "gaussian-dp") or e.exact.get("exactness") in ("exact", "upper")


def _covers(run: Run, claim: Claim, case: str, e: Statement) -> bool:
    if isinstance(claim, SensitivityClaim):
        if e.kind == "exceedance":
            return bool(
                e.exact["world"] == case
                and e.exact["step"] == claim.step
                and e.exact["sensitivity"] <= claim.sensitivity
                and e.ball("probability") <= ball(claim.probability)
            )
        shift = shift_at(e, claim.step) if e.kind == "sensitivity" else None
        return bool(
            shift is not None
            and e.exact["world"] in (case, "any")
            and shift <= ball(claim.sensitivity)
            and e.ball("delta") <= ball(claim.probability)
        )
    if case not in e.exact.get("directions", ()) or not _from_above(e):
        return False
    if e.exact.get("observer") not in (run.release, "every-step"):
        return False
    if isinstance(claim, EpsilonDelta):
        if e.kind == "hockey-stick":
            return bool(e.exact["epsilon"] <= claim.epsilon and e.ball("delta") <= ball(claim.delta))
        return bool(
            e.kind == "epsilon"
            and e.exact["delta"] <= claim.delta
            and e.ball("epsilon") <= ball(claim.epsilon)
        )
    if isinstance(claim, RenyiClaim):
        return bool(
            e.kind == "renyi" and e.exact["order"] >= claim.order and e.ball("r") <= ball(claim.renyi)
        )
    if e.kind != "gaussian-dp":
        return False
    if "half" in e.exact:
        return bool(
            len(claim.directions) == 2 and e.exact["mu"] <= claim.mu and e.exact["delta"] <= claim.delta
        )
    return bool(e.ball("mu") <= ball(claim.mu) and e.ball("delta") <= ball(claim.delta))


def _breaks(run: Run, claim: Claim, e: Statement) -> bool:
    if isinstance(claim, SensitivityClaim):
        return bool(
            e.kind == "exceedance"
            and e.exact["step"] == claim.step
            and e.exact["sensitivity"] >= claim.sensitivity
            and e.ball("probability") > ball(claim.probability)
        )
    named = set(claim.directions) & set(e.exact.get("directions", ()))
    if not named or e.exact.get("exactness") not in ("exact", "lower"):
        return False
    if e.exact.get("observer") not in (run.release, "final"):
        return False
    if isinstance(claim, EpsilonDelta):
        return bool(
            e.kind == "hockey-stick"
            and e.exact["epsilon"] >= claim.epsilon
            and e.ball("delta") > ball(claim.delta)
        )
    if isinstance(claim, RenyiClaim):
        return bool(
            e.kind == "renyi" and e.exact["order"] <= claim.order and e.ball("r") > ball(claim.renyi)
        )
    assert isinstance(claim, GaussianClaim)
    if e.kind == "renyi":
        return bool(claim.delta == 0 and e.ball("r") == arb("inf")) or bool(
            claim.delta == 0 and e.ball("r") > ball(e.exact["order"] * claim.mu**2 / 2)
        )
    if e.kind != "hockey-stick":
        return False
    allowance = gaussian_delta(claim.mu, e.exact["epsilon"]) + ball(claim.delta)
    return bool(e.ball("delta") > allowance)
