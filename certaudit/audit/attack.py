"""The attacking half: train shadows in both worlds, attack, and test every claim.

Shadows come in rounds, one of each world, and every claim's e-process bets on them in that order; the
audit stops when every claim is refuted or the budget is spent.  The chance that any claim that is true
is ever refuted is at most 1 - confidence in all: each claim has an equal share of it.  The fixed design
trains the whole budget, chooses attacks on half of it and tests them on the other half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.scores import Law, Score, Setting, applicable
from certaudit.audit.shadows.noise import BLOCK, NoiseSource
from certaudit.audit.shadows.shift import NoCounterpart, locate, step_shifts, steps_before
from certaudit.audit.shadows.store import ShadowStore
from certaudit.audit.shadows.train import ShadowError, Shadows, Trainer, train
from certaudit.audit.statistics import fixed, limit
from certaudit.audit.statistics.confidence import lower_proportion
from certaudit.audit.statistics.evalue import Ratios
from certaudit.audit.statistics.fixed import Scored
from certaudit.audit.statistics.forecast import power
from certaudit.audit.statistics.nulls import Divergence, claimed, ladder, nulls, quantity, rung_above
from certaudit.audit.statistics.power import count_power
from certaudit.audit.statistics.results import (
    AttackLine,
    AuditReport,
    ClaimAudit,
    Design,
    Growth,
    exceeds,
)
from certaudit.audit.statistics.sequential import EProcesses, Wealth
from certaudit.audit.statistics.shift_counts import ShiftWealth
from certaudit.claims import Claim, SensitivityClaim
from certaudit.run import WORLDS, Run, World

__all__ = ["AttackLine", "AuditReport", "ClaimAudit", "Design", "Law", "audit", "exceeds"]

Floats = NDArray[np.float64]
FOREIGN_ROUND = 32
"""Shadows of each world in the first round of a trainer that is not the built-in one."""

LEAST = 8
"""Shadows of each world without which nothing is said about a claim."""

UNSEEN = "the iterates of foreign code are not seen"


def audit(
    run: Run,
    claims: Sequence[Claim],
    *,
    shadows: int,
    confidence: Fraction,
    seed: int,
    dtype: str = "float64",
    exact_law: Callable[[int], Law | None] = lambda requests: None,
    noise: NoiseSource | None = None,
    store: Path | None = None,
    design: Design = "sequential",
    truth: Mapping[str, float] | None = None,
    foreign: Trainer | None = None,
) -> AuditReport:
    """Train up to ``shadows`` models in each world and test every claim at ``confidence`` in all.

    ``exact_law(k)`` is the spec's law of the models released after k requests, where known; ``noise``
    replaces the noise of the shadows; ``store`` is a folder to keep finished shadows in; ``truth``
    maps claims to exact values, to be shown beside what was found.  ``foreign`` makes the shadows
    instead of the built-in dynamics.

    A model that cannot be trained ends the audit there; what the shadows before it showed is kept, and
    ``broken`` of the report says what happened.
    """
    skipped = {claim.id: reason for claim in claims if (reason := _obstacle(run, claim, foreign))}
    checked = [claim for claim in claims if claim.id not in skipped]
    steps = sorted({claim.step for claim in checked if isinstance(claim, SensitivityClaim)})
    keep = None if store is None else ShadowStore(store)

    def built_in(part: Run, world: World, first: int, count: int) -> Shadows:
        asked = {steps_before(run, world, step) for step in steps} if part is run else set()
        record = [t for t in asked if t is not None]
        return train(
            part,
            world,
            count,
            first=first,
            seed=seed,
            dtype=dtype,
            noise=noise,
            record=record,
            store=keep,
        )

    trainer = built_in if foreign is None else foreign
    size = BLOCK if foreign is None else FOREIGN_ROUND
    stages = []
    for requests in sorted({_requests(run, claim) for claim in checked}):
        of_stage = [claim for claim in checked if _requests(run, claim) == requests]
        law = exact_law(requests)
        follows = law if foreign is None else None
        stages.append(_Stage(run, requests, of_stage, law, follows, seed, trainer))
    share = float(1 - confidence)
    if design == "fixed":
        for stage in stages:
            stage.train(0, shadows)
        tests = sum(stage.tests() for stage in stages)
        level = share / max(tests, 1)
        found = [result for stage in stages for result in stage.fixed(level)]
    else:
        tests = len(checked)
        level = share / max(tests, 1)
        found = [result for stage in stages for result in stage.sequential(shadows, level, size)]
    by_id = {result.id: _with_truth(result, truth or {}) for result in found}
    return AuditReport(
        design,
        shadows,
        max((stage.trained for stage in stages), default=0),
        shadows - shadows // 2 if design == "fixed" else 0,
        seed,
        dtype,
        float(confidence),
        tests,
        level,
        tuple(_skipped(c, skipped[c.id]) if c.id in skipped else by_id[c.id] for c in claims),
        tuple(dict.fromkeys(stage.broken for stage in stages if stage.broken)),
    )


def _with_truth(result: ClaimAudit, truth: Mapping[str, float]) -> ClaimAudit:
    return replace(result, truth=truth.get(result.id))


def _requests(run: Run, claim: Claim) -> int:
    """How many requests the models that ``claim`` is about have served."""
    return len(run.requests) if claim.after is None else claim.after


def _obstacle(run: Run, claim: Claim, foreign: Trainer | None) -> str:
    """Why the audit has nothing to test ``claim`` by; empty if it has."""
    if isinstance(claim, SensitivityClaim):
        if foreign is not None:
            return UNSEEN
        try:
            locate(run, claim.step)
        except NoCounterpart as refusal:
            return str(refusal)
    return ""


def _skipped(claim: Claim, reason: str) -> ClaimAudit:
    if isinstance(claim, SensitivityClaim):
        name, value = "probability", float(claim.probability)
    else:
        name, value = quantity(claim), claimed(claim)
    return ClaimAudit(claim.id, name, value, False, 0.0, (), skipped=reason)


def rounds(budget: int, size: int = BLOCK) -> Iterator[tuple[int, int]]:
    """First shadow and number of each round of training: 256, 256, 512, 1024, ... up to the budget."""
    done = 0
    while done < budget:
        count = min(max(size, done), budget - done)
        yield done, count
        done += count


class _Stage:
    """The shadows of the run that stops after some requests, and the claims about its models.

    ``law``: the spec's, to score by; ``follows``: the law that the models are known to follow.
    """

    def __init__(
        self,
        run: Run,
        requests: int,
        claims: Sequence[Claim],
        law: Law | None,
        follows: Law | None,
        seed: int,
        trainer: Trainer,
    ) -> None:
        self._run, self._part = run, run.after(requests)
        self._divergences = [c for c in claims if not isinstance(c, SensitivityClaim)]
        self._sensitivities = [c for c in claims if isinstance(c, SensitivityClaim)]
        self._claims, self._trainer = claims, trainer
        self._law, self._follows, self._seed = law, follows, seed
        self._scores: list[Score] = []
        self._models: dict[World, Floats] = {}
        self._new: dict[World, Shadows] = {}
        self.trained, self.broken = 0, ""

    def tests(self) -> int:
        """Tests of the fixed design."""
        events = sum(fixed.tests(claim, len(self._scores)) for claim in self._divergences)
        return events + 2 * len(self._sensitivities)

    def train(self, first: int, count: int) -> dict[World, Shadows]:
        """Further shadows of both worlds, fewer if one of them breaks down."""
        new: dict[World, Shadows] = {}
        for world in WORLDS:
            try:
                new[world] = self._trainer(self._part, world, first, count)
            except ShadowError as error:
                self.broken, new[world] = str(error), error.finished
                count = len(error.finished.final)
            if not count:
                return {}
        sizes = [new[world].final.shape[1] for world in WORLDS]
        if len(set(sizes)) > 1:
            self.broken = f"world P has {sizes[0]} parameters, world Q {sizes[1]}"
            return {}
        for world in WORLDS:
            new[world] = new[world].until(count)
            known = self._models.get(world)
            final = new[world].final
            self._models[world] = final if known is None else np.concatenate([known, final])
        if not self._scores:
            self._scores = self._applicable(sizes[0])
        self.trained = first + count
        self._new = new
        return new

    def _applicable(self, parameters: int) -> list[Score]:
        scores = applicable(Setting(self._part, self._law, self._seed))
        whole = parameters == self._part.shown
        return [score for score in scores if whole or score.parameters_only]

    def _too_few(self) -> Iterator[ClaimAudit]:
        reason = f"shadow training broke down ({self.broken})"
        return (_skipped(claim, reason) for claim in self._claims)

    def _shifts(self, claim: SensitivityClaim, new: Mapping[World, Shadows]) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for world, shadows in new.items():
            before = steps_before(self._run, world, claim.step)
            if before is not None:
                found[world] = step_shifts(self._run, claim.step, shadows.recorded[before])
        return found

    def _scored(self) -> Scored:
        return Scored.of(self._scores, {str(world): models for world, models in self._models.items()})

    def fixed(self, level: float) -> Iterator[ClaimAudit]:
        """The fixed design's result for every claim, each test at ``level``."""
        if self.broken:
            yield from self._too_few()
            return
        scored = self._scored() if self._divergences else None
        for claim in self._divergences:
            assert scored is not None
            yield fixed.judge(claim, scored, level)
        for sensitivity in self._sensitivities:
            yield _count_shifts(sensitivity, self._shifts(sensitivity, self._new), level)

    def sequential(self, shadows: int, level: float, size: int) -> Iterator[ClaimAudit]:
        """The e-processes' result for every claim, each refuted at wealth 1/level."""
        bets = {claim.id: _wealths(claim, level) for claim in self._divergences}
        counts = {c.id: ShiftWealth(float(c.probability), level) for c in self._sensitivities}
        process: EProcesses | None = None
        for first, count in rounds(shadows, size):
            new = self.train(first, count)
            if new:
                process = process or EProcesses(
                    self._scores, [w for rungs in bets.values() for w in rungs.values()]
                )
                process.extend(new["P"].final, new["Q"].final)
                for claim in self._sensitivities:
                    slack = float(claim.sensitivity) * (1 + 1e-9)
                    counts[claim.id].extend(self._shifts(claim, new), slack)
            if self.broken or process is None:
                break
            if process.done and all(w.refuted_after is not None for w in counts.values()):
                break
        if process is None or self.trained < LEAST:
            yield from self._too_few()
            return
        scored = self._scored() if self._divergences else None
        truth = None if self._follows is None else limit.of_law(self._follows, self._seed)
        for one in self._divergences:
            assert scored is not None
            beside = fixed.estimates(one, scored, level)
            yield _bet_on(one, bets[one.id], process, level, shadows, beside, truth)
        for sensitivity in self._sensitivities:
            yield _bet_on_shifts(sensitivity, counts[sensitivity.id], level, shadows)


def _wealths(claim: Divergence, level: float) -> dict[float, Wealth]:
    """Wealth against every value of the claim's ladder, the claimed one last."""
    return {value: Wealth(nulls(claim, value, rung_above(value)), level) for value in ladder(claim)}


def _bet_on(
    claim: Divergence,
    bets: Mapping[float, Wealth],
    process: EProcesses,
    level: float,
    shadows: int,
    beside: Sequence[str],
    truth: Ratios | None,
) -> ClaimAudit:
    value, own = claimed(claim), bets[claimed(claim)]
    bound, last = 0.0, 0
    for rung, wealth in bets.items():
        if wealth.refuted_after is None:
            break
        bound, last = rung, max(last, wealth.refuted_after)
    refuted = all(wealth.refuted_after is not None for wealth in bets.values())
    against = nulls(claim, value)
    best = process.best_growth(against) if truth is None else limit.limit(against, truth)
    pairs = own.refuted_after or process.rounds
    reached = own.reached if own.refuted_after else own.now
    sees = power(claim, shadows, level)
    names = {True: "e-process over 1 score", False: f"e-process over {process.scores} scores"}
    return ClaimAudit(
        claim.id,
        quantity(claim),
        value,
        refuted,
        bound,
        (
            AttackLine(
                names[process.scores == 1],
                " and ".join(claim.directions),
                bound,
                own.leaders(),
            ),
        ),
        sees,
        blind=sees.ceiling <= value,
        estimates=tuple(beside),
        growth=Growth(
            own.reached,
            -float(np.log(level)),
            reached / max(pairs, 1),
            last if refuted else None,
            max(best, 0.0),
            truth is None,
        ),
    )


def _bet_on_shifts(
    claim: SensitivityClaim, wealth: ShiftWealth, level: float, shadows: int
) -> ClaimAudit:
    refuted = wealth.refuted_after is not None
    bound = wealth.lower_bound()
    lines = tuple(
        AttackLine("count of shifts", f"world {world}", bound, _shift_detail(hits, wealth, world))
        for world, hits in wealth.hits.items()
    )
    pairs = wealth.refuted_after or wealth.trials
    sees = count_power(float(claim.probability), shadows, level)
    return ClaimAudit(
        claim.id,
        "probability",
        float(claim.probability),
        refuted,
        bound,
        lines,
        sees,
        blind=sees.ceiling <= float(claim.probability),
        growth=Growth(
            wealth.reached, -float(np.log(level)), wealth.now / max(pairs, 1), wealth.refuted_after
        ),
    )


def _shift_detail(hits: int, wealth: ShiftWealth, world: str) -> str:
    largest = wealth.largest[world]
    return f"{hits} of {wealth.trials} shifts above the claim; the largest {largest:.4g}"


def _count_shifts(claim: SensitivityClaim, shifts: Mapping[str, Floats], level: float) -> ClaimAudit:
    lines = []
    slack = float(claim.sensitivity) * (1 + 1e-9)
    for world, values in shifts.items():
        hits = int((values > slack).sum())
        bound = float(lower_proportion(hits, len(values), level))
        detail = f"{hits} of {len(values)} shifts above the claim; the largest {values.max():.4g}"
        lines.append(AttackLine("count of shifts", f"world {world}", bound, detail))
    best = max(line.lower_bound for line in lines)
    total = max(len(values) for values in shifts.values())
    sees = count_power(float(claim.probability), total, level)
    return ClaimAudit(
        claim.id,
        "probability",
        float(claim.probability),
        exceeds(best, claim.probability),
        best,
        tuple(lines),
        sees,
        blind=sees.ceiling <= float(claim.probability),
    )
