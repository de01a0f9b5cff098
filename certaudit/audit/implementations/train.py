"""Shadow models of foreign code, each made in a fresh process, kept as they come."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.conformance.result import Check
from certaudit.audit.implementations import findings
from certaudit.audit.implementations.findings import Made
from certaudit.audit.implementations.load import printable
from certaudit.audit.implementations.plan import calls
from certaudit.audit.implementations.processes import Job, Server
from certaudit.audit.implementations.wire import Report
from certaudit.audit.shadows.progress import progress
from certaudit.audit.shadows.store import ShadowStore, digest
from certaudit.audit.shadows.train import ShadowError, Shadows
from certaudit.run import WORLDS, Run, World

Floats = NDArray[np.float64]
Place = tuple[World, int]
"""A world and the number of a shadow."""

PIECE = 8
"""Shadows of a world that are stored together; their order, and that of the worlds, is drawn."""

ONE_OF, AT_LEAST = 16, 2
"""Of the models made in each world, how many are made again to be compared: one of so many, at least."""

CHANCE = random.SystemRandom()
"""Code cannot foresee the order of its models, nor which are made again."""


@dataclass
class _Stage:
    """The models of a run, or of its first requests.

    ``broken``: the first model that could not be made, and why; none of a later shadow is made.
    """

    run: Run
    made: dict[World, list[Made]] = field(default_factory=lambda: {world: [] for world in WORLDS})
    broken: tuple[Place, str] | None = None


@dataclass
class Foreign:
    """Makes shadows of foreign code; shadow k is the same whatever asks for it, if the code obeys its
    seed.  Models already made are kept in memory, and in ``store`` if given.

    Every model is made in a process forked from one that has imported the code and called none of it,
    ``workers`` at a time, in random order of shadows and worlds.  The first model that fails ends the
    audit's data there: to leave it out and go on would let code choose which models are seen.
    """

    server: Server
    seed: int
    workers: int = 1
    store: ShadowStore | None = None

    def __post_init__(self) -> None:
        self._stages: dict[int, _Stage] = {}

    def __call__(self, run: Run, world: World, first: int, count: int) -> Shadows:
        """Models first, ..., first + count - 1 of a world of ``run`` or of its first requests.

        Raises:
            ShadowError: at the first model that fails, with those before it.
        """
        stage = self._stages.setdefault(len(run.requests), _Stage(run))
        if len(stage.made[world]) < first + count and stage.broken is None:
            self._make(stage, first + count)
        models = [one.vector for one in stage.made[world][first : first + count]]
        shadows = Shadows(np.stack(models) if models else np.zeros((0, run.shown)), {})
        if len(models) < count:
            assert stage.broken is not None
            raise ShadowError(stage.broken[1], shadows)
        return shadows

    def faults(self) -> tuple[str, ...]:
        """What went wrong so far, each once."""
        found = [stage.broken[1] for stage in self._stages.values() if stage.broken is not None]
        return tuple(dict.fromkeys(found))

    def checks(self) -> tuple[Check, ...]:
        """What the models made so far say of how the code was run, whatever the spec: facts that
        code which draws from its seed alone never breaks.  Makes some of the models again."""
        found = [
            check
            for stage in self._stages.values()
            for check in findings.checks(stage.run, stage.made, stage.broken and stage.broken[1])
        ]
        return (*found, *self._repeated())

    def remarks(self) -> tuple[str, ...]:
        """What else was noticed about the code while it made the models."""
        found = [
            remark
            for stage in self._stages.values()
            for remark in findings.remarks(stage.run, stage.made)
        ]
        if self.server.threads:
            found.append(
                f"importing the code starts {self.server.threads} threads, which processes forked from "
                "it do not have"
            )
        return tuple(dict.fromkeys(found))

    def _make(self, stage: _Stage, wanted: int) -> None:
        """Add models of both worlds up to ``wanted``, fewer if one fails."""
        run, begin = stage.run, len(stage.made["P"])
        done: dict[Place, Made] = {}
        keys = {world: self._key(run, world) for world in WORLDS}
        pieces = [(k, min(k + PIECE, wanted)) for k in range(begin, wanted, PIECE)]
        missing = [
            (world, start, stop)
            for start, stop in pieces
            for world in WORLDS
            if not self._stored(keys[world], world, start, stop, done)
        ]
        faults: dict[Place, str] = {}

        def places() -> Iterator[Place]:
            for start, stop in pieces:
                some = [(w, k) for w, a, _ in missing if a == start for k in range(start, stop)]
                CHANCE.shuffle(some)
                for world, k in some:
                    if k <= min((shadow for _, shadow in faults), default=k):
                        yield world, k

        total = sum(stop - start for _, start, stop in missing)
        with progress("shadows of both worlds", total, "model") as bar:
            for place, report in self._reports(self.server, run, places()):
                if report.vector is None:
                    faults[place] = self._fault(run, place, report)
                else:
                    done[place] = Made(report.vector, report.prints, report.wrote, report.left)
                    self._save(keys, missing, place, done)
                bar.update()
        self._collect(stage, begin, wanted, done, faults)

    def _reports(
        self, server: Server, run: Run, places: Iterator[Place]
    ) -> Iterator[tuple[Place, Report]]:
        """Reports of models as they are finished."""
        under_way: dict[int, Place] = {}

        def jobs() -> Iterator[Job]:
            for number, place in enumerate(places):
                under_way[number] = place
                yield number, calls(run, *place, self.seed)

        X, y = (np.asarray(one, dtype=np.float64) for one in (run.X, run.y))
        for number, report in server.make(X, y, jobs(), self.workers):
            yield under_way.pop(number), report

    def _fault(self, run: Run, place: Place, report: Report) -> str:
        planned = calls(run, *place, self.seed)
        at = planned[min(max(report.begun - 1, 0), len(planned) - 1)]
        where = f"world {place[0]}, shadow {place[1]}, {at.function} with seed {at.seed}"
        return f"{where}: {printable(report.fault)}"

    def _collect(
        self,
        stage: _Stage,
        begin: int,
        wanted: int,
        done: dict[Place, Made],
        faults: dict[Place, str],
    ) -> None:
        """Take models in order up to the first that failed, or has another size than its world's."""
        for place in [(world, k) for k in range(begin, wanted) for world in WORLDS]:
            world, k = place
            fault, made = faults.get(place), stage.made[world]
            if fault is None and made and made[0].vector.size != done[place].vector.size:
                fault = (
                    f"world {world}, shadow {k}: {done[place].vector.size} parameters, where shadow 0 "
                    f"has {made[0].vector.size}"
                )
            if fault is not None:
                stage.broken = place, fault
                return
            made.append(done[place])

    def _repeated(self) -> Iterator[Check]:
        """Some models made again, in a process that imports the code anew."""
        sample = [
            (stage, place)
            for stage in self._stages.values()
            for world in WORLDS
            for place in _some([(world, k) for k in range(len(stage.made[world]))])
        ]
        if not sample:
            return
        CHANCE.shuffle(sample)
        other, again = Server(self.server.names, shown=0), []
        for stage in self._stages.values():
            places = [place for one, place in sample if one is stage]
            for place, report in self._reports(other, stage.run, iter(places)):
                before = stage.made[place[0]][place[1]]
                equal = report.vector is not None and report.vector.tobytes() == before.vector.tobytes()
                again.append((place, equal and report.prints == before.prints))
        other.close()
        yield findings.repeats(again)
        yield findings.unchanged(self.server.sha256, other.sha256)

    def _key(self, run: Run, world: World) -> str:
        return digest(run, world, self.seed, self.server.names.functions, self.server.sha256)

    def _stored(self, key: str, world: World, start: int, stop: int, done: dict[Place, Made]) -> bool:
        """Put a piece's models into ``done``, if the store has them."""
        if self.store is None:
            return False
        name = _name(key, start, stop)
        models, prints = self.store.load(name), self.store.load(f"{name}-calls")
        if models is None or prints is None or len(models) != stop - start:
            return False
        for k, (vector, of_calls) in enumerate(zip(models, prints, strict=True), start):
            done[world, k] = Made(vector, tuple(of_calls.astype(str).tolist()))
        return True

    def _save(
        self,
        keys: dict[World, str],
        missing: Sequence[tuple[World, int, int]],
        place: Place,
        done: dict[Place, Made],
    ) -> None:
        """Store the piece that a new model is of, if it is whole."""
        if self.store is None:
            return
        start, stop = next((a, b) for w, a, b in missing if w == place[0] and a <= place[1] < b)
        piece = [done.get((place[0], k)) for k in range(start, stop)]
        whole = [one for one in piece if one is not None]
        if len(whole) == len(piece) and len({one.vector.size for one in whole}) == 1:
            name = _name(keys[place[0]], start, stop)
            self.store.save(name, np.stack([one.vector for one in whole]))
            self.store.save(f"{name}-calls", np.array([one.prints for one in whole], dtype="S16"))


def _some(places: list[Place]) -> list[Place]:
    return CHANCE.sample(places, min(len(places), max(AT_LEAST, len(places) // ONE_OF)))


def _name(key: str, start: int, stop: int) -> str:
    return f"{key}-{start}-{stop - start}"
