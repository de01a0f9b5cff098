"""Claims, bounds and runs in words."""

from __future__ import annotations

from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.report.numbers import down, exact, up
from certaudit.run import Phase, Run
from certaudit.verdict import Bound, ClaimVerdict

SYMBOLS = {"epsilon": "ε", "renyi": "D", "mu": "μ", "sensitivity": "shift"}


def claimed(claim: Claim) -> str:
    """What the certificate says."""
    if isinstance(claim, EpsilonDelta):
        text = f"ε ≤ {exact(claim.epsilon)} at δ = {exact(claim.delta)}"
    elif isinstance(claim, RenyiClaim):
        text = f"D_{exact(claim.order)} ≤ {exact(claim.renyi)}"
    elif isinstance(claim, GaussianClaim):
        text = f"μ ≤ {exact(claim.mu)}" + (
            f" up to δ = {exact(claim.delta)}" if claim.delta else ", no slack"
        )
    else:
        return (
            f"shift of step {claim.step} ≤ {exact(claim.sensitivity)}"
            f" but with probability {exact(claim.probability)}"
        )
    return text if len(claim.directions) == 2 else f"{text} ({claim.directions[0]} only)"


def bound(one: Bound) -> str:
    """One route's number, rounded against the claim."""
    symbol = SYMBOLS[one.quantity]
    if one.value is None:
        return f"{symbol} ≥ {down(one.floor)}" if one.floor is not None else f"{symbol}: none"
    return f"{symbol} ≤ {up(one.value)}"


def proved_bound(verdict: ClaimVerdict) -> str:
    """The number that carries the verdict: a lower bound if refuted, else the best upper bound."""
    if verdict.status.value == "refuted":
        known = [b for b in verdict.bounds if b.floor is not None]
        if known and known[0].floor is not None:
            return f"{SYMBOLS[known[0].quantity]} ≥ {down(known[0].floor)}"
        return "an exact value breaks it"
    upper = [b for b in verdict.bounds if b.value is not None]
    return bound(upper[0]) if upper else "none"


def by(verdict: ClaimVerdict) -> str:
    """The rules the verdict rests on, from the last to the first."""
    if verdict.proof is None:
        upper = [b for b in verdict.bounds if b.value is not None]
        return upper[0].route if upper else "no rule applies"
    names: dict[str, None] = {}
    layer = list(verdict.proof.uses)
    while layer:
        names |= {s.rule.id: None for s in layer}
        layer = [used for s in layer for used in s.uses]
    chain = " ← ".join(name for name in names if name not in ("curvature", "contraction"))
    return f"exact tier: {chain}" if "E1" in names else chain


def phase(one: Phase) -> str:
    """A phase in a few words."""
    return (
        f"{one.steps} steps, step size {exact(one.step_size)},"
        f" noise variance {exact(one.noise_variance)} a step"
    )


def run(one: Run) -> list[str]:
    """The run, a line a fact."""
    extras = []
    if one.projection is not None:
        extras.append(f"projected onto radius {exact(one.projection)}")
    if one.clip is not None:
        inside = "regularizer inside" if one.clip.regularizer else "loss gradient only"
        extras.append(f"clipped at {exact(one.clip.norm)} ({inside})")
    forgotten = ", ".join(str(i) for i in one.forget[:8]) + (" ..." if len(one.forget) > 8 else "")
    reference: str = one.reference.kind
    if reference == "retrained":
        reference += f" for {one.reference.steps} steps"
    return [
        f"data        {one.n} rows x {one.d} features; forgotten row"
        f"{'s' if len(one.forget) > 1 else ''} {forgotten}",
        f"model       {one.loss}, l2 {exact(one.l2)}, normalizer {one.normalizer}"
        + "".join(f", {extra}" for extra in extras),
        f"learning    {phase(one.learn)}",
        f"unlearning  {phase(one.unlearn)}",
        f"compared with {reference}; an observer sees "
        + ("the final model" if one.release == "final" else "every iterate"),
    ]
