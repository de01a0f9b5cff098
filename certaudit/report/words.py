"""Claims, bounds and runs in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from certaudit.claims import Claim, EpsilonDelta, GaussianClaim, RenyiClaim
from certaudit.report.assumptions import OBSERVERS, unseen
from certaudit.report.numbers import down, exact, up
from certaudit.run import Network, Phase, Request, Run
from certaudit.verdict import Bound, ClaimVerdict

SYMBOLS = {"epsilon": "ε", "renyi": "D", "mu": "μ", "sensitivity": "shift"}


def quantity(claim: Claim) -> str:
    """What a claim bounds."""
    if isinstance(claim, EpsilonDelta):
        return "epsilon"
    if isinstance(claim, RenyiClaim):
        return "renyi"
    return "mu" if isinstance(claim, GaussianClaim) else "sensitivity"


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
    if claim.after is not None:
        text += f" after stage {claim.after}"
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
    if not verdict.decided_by:
        upper = [b for b in verdict.bounds if b.value is not None]
        return upper[0].route if upper else "no rule applies"
    names: dict[str, None] = {}
    layer, known = list(verdict.decided_by), verdict.proof.lines
    while layer:
        names |= {line.rule: None for line in layer}
        layer = [known[k] for k in sorted({k for line in layer for k in line.uses})]
    reduced = ["O1"] if verdict.proof.subject is not verdict.proof.run else []
    chain = " ← ".join([*reduced, *(name for name in names if name not in ("curvature", "contraction"))])
    return f"exact tier: {chain}" if "E1" in names else chain


def phase(one: Phase) -> str:
    """A phase in a few words."""
    text = (
        f"{one.steps} step{'' if one.steps == 1 else 's'}, step size {exact(one.step_size)},"
        f" noise variance {exact(one.noise_variance)} a step"
    )
    if not one.batches:
        return text
    size, last = len(one.batches[0]), len(one.batches[-1])
    shorter = f" (the last {last})" if last != size else ""
    return f"{text}, {len(one.batches)} batches of {size}{shorter} in turn"


def rows(some: Sequence[int]) -> str:
    """A few row numbers, and how many there are if they are many."""
    few = ", ".join(map(str, some[:8])) + (f" ... ({len(some)} in all)" if len(some) > 8 else "")
    return f"row{'s' if len(some) > 1 else ''} {few}"


def run(one: Run) -> list[str]:
    """The run, a line a fact."""
    output = one.output_noise("P")
    return [
        f"data        {one.n} rows x {one.d} features; forgotten {rows(one.forget)}",
        f"model       {_model(one)}",
        f"learning    {phase(one.learn)}",
        *_requests(one.requests),
        *([f"output      noise variance {exact(output)} on the released model"] if output else []),
        f"compared with {_reference(one)}; an observer sees {OBSERVERS[one.release]}",
        *unseen(one),
    ]


def unstated(one: Run) -> list[str]:
    """What is known of a run whose dynamics are not stated."""
    return [
        f"data        {one.n} rows x {one.d} features; forgotten {rows(one.forget)}",
        "dynamics    unknown: nothing is proved; the code that the spec names is attacked",
        f"compared with {one.reference.kind}; an observer sees the final model",
    ]


def _model(one: Run) -> str:
    facts: list[str] = [one.loss]
    if one.threshold is not None:
        facts.append(f"threshold {exact(one.threshold)}")
    if one.network is not None:
        facts = [f"softmax of {_network(one.network)}"]
    if one.classes > 1:
        facts.append(f"{one.classes} classes ({one.parameters} parameters)")
    facts += [f"l2 {exact(one.l2)}", f"normalizer {one.normalizer}"]
    if one.projection is not None:
        facts.append(f"projected onto radius {exact(one.projection)}")
    if one.clip is not None:
        inside = "regularizer inside" if one.clip.regularizer else "loss gradient only"
        facts.append(f"clipped at {exact(one.clip.norm)} ({inside})")
    return ", ".join(facts)


def _network(one: Network) -> str:
    widths = ", ".join(map(str, one.widths))
    if one.image is None:
        return f"an mlp with {widths} {one.activation} units"
    sides = f"{one.kernel} x {one.kernel} windows of {one.image[0]} x {one.image[1]}"
    return f"a cnn with {widths} {one.activation} channels ({sides})"


def _requests(requests: Sequence[Request]) -> Iterator[str]:
    if len(requests) == 1:
        yield f"unlearning  {phase(requests[0].unlearn)}"
        return
    for k, request in enumerate(requests[:8], 1):
        yield f"{f'stage {k}':<12}{rows(request.rows)}: {phase(request.unlearn)}"
    if len(requests) > 8:
        yield f"            ... {len(requests)} stages in all"


def _reference(one: Run) -> str:
    law = one.reference
    facts: list[str] = [f"retrained for {law.steps} steps" if law.kind == "retrained" else law.kind]
    if law.unlearn_variance is not None:
        facts.append(f"its unlearning with noise variance {exact(law.unlearn_variance)} a step")
    if law.output_variance is not None:
        facts.append(f"its output with noise variance {exact(law.output_variance)}")
    return ", ".join(facts)
