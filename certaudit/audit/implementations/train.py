"""Shadow models of foreign code: one after another, or in worker processes, kept as they come."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.implementations import pieces
from certaudit.audit.implementations.load import Code, Names
from certaudit.audit.implementations.shadow import ShadowFault, make
from certaudit.audit.shadows.progress import progress
from certaudit.audit.shadows.store import ShadowStore, digest
from certaudit.audit.shadows.train import ShadowError, Shadows
from certaudit.run import Run, World

Floats = NDArray[np.float64]

PIECE = 8
"""Shadows made, and stored, at a time."""


@dataclass
class Foreign:
    """Makes shadows of foreign code; shadow k is the same whatever asks for it, if the code obeys its
    seed.  Models already made are kept in memory, and in ``store`` if given.

    ``workers``: processes that make them (1: this one).
    """

    names: Names
    code: Code
    seed: int
    workers: int = 1
    store: ShadowStore | None = None

    def __post_init__(self) -> None:
        self._made: dict[tuple[int, World], list[Floats]] = {}
        self._fresh: dict[tuple[int, World], Run] = {}
        self._faults: list[str] = []

    def __call__(self, run: Run, world: World, first: int, count: int) -> Shadows:
        """Models first, ..., first + count - 1 of a world of ``run`` or of its first requests.

        Raises:
            ShadowError: at the first model that fails, with those before it.
        """
        made = self._made.setdefault((len(run.requests), world), [])
        fault = self._make(run, world, made, first + count) if len(made) < first + count else ""
        models = made[first : first + count]
        shadows = Shadows(np.stack(models) if models else np.zeros((0, run.shown)), {})
        if fault:
            self._faults.append(fault)
            raise ShadowError(fault, shadows)
        return shadows

    def faults(self) -> tuple[str, ...]:
        """What went wrong so far, each once."""
        return tuple(dict.fromkeys(self._faults))

    def remarks(self) -> tuple[str, ...]:
        """What the models made so far say about how the code uses its seed."""
        found = []
        for (_, world), made in sorted(self._made.items()):
            equal = len(made) - len({model.tobytes() for model in made})
            if made and equal == len(made) - 1 > 0:
                found.append(
                    f"all {len(made)} models of world {world} are equal: the code ignores its seed, or "
                    "draws nothing"
                )
            elif equal:
                found.append(f"{equal} of {len(made)} models of world {world} equal another")
        for key, run in sorted(self._fresh.items(), key=lambda item: item[0]):
            world, made = key[1], self._made[key]
            if made and not self._repeats(run, world, made[0]):
                found.append(
                    f"shadow 0 of world {world}, made again with the same seeds, is another model: the "
                    "code draws from elsewhere, and its shadows cannot be reproduced"
                )
        return tuple(dict.fromkeys(found))

    def _repeats(self, run: Run, world: World, model: Floats) -> bool:
        try:
            return make(self.code, run, world, 0, self.seed).tobytes() == model.tobytes()
        except ShadowFault:
            return False

    def _make(self, run: Run, world: World, made: list[Floats], wanted: int) -> str:
        """Append models up to ``wanted``; what went wrong, if anything."""
        key = digest(run, world, self.seed, self.names.learn, self.names.unlearn, self.code.sha256)
        starts = range(len(made), wanted, PIECE)
        with (
            ExitStack() as stack,
            progress(world, wanted - len(made), "model") as bar,
        ):
            for models, fault in self._pieces(stack, run, world, starts, wanted, key):
                for model in models:
                    if made and model.shape != made[0].shape:
                        where = f"world {world}, shadow {len(made)}"
                        return f"{where}: {model.size} parameters, where shadow 0 has {made[0].size}"
                    made.append(model)
                    bar.update()
                if fault:
                    return fault
        return ""

    def _pieces(
        self, stack: ExitStack, run: Run, world: World, starts: range, wanted: int, key: str
    ) -> Iterator[tuple[list[Floats], str]]:
        """Every piece's models and what went wrong in it, in order, from the store where it has them."""
        jobs = [(start, min(PIECE, wanted - start)) for start in starts]
        known = [None if self.store is None else self.store.load(_name(key, *job)) for job in jobs]
        missing = [job for job, one in zip(jobs, known, strict=True) if one is None]
        fresh: Iterator[tuple[list[Floats], str]]
        if self.workers > 1 and len(missing) > 1:
            pool = ProcessPoolExecutor(
                min(self.workers, len(missing)),
                mp_context=get_context("spawn"),
                initializer=pieces.prepare,
                initargs=(self.names, run, world, self.seed),
            )
            stack.callback(pool.shutdown, cancel_futures=True)
            fresh = pool.map(pieces.prepared, missing)
        else:
            fresh = (pieces.piece(self.code, run, world, self.seed, job) for job in missing)
        for job, stored in zip(jobs, known, strict=True):
            if stored is not None:
                yield list(stored), ""
                continue
            try:
                models, fault = next(fresh)
            except BrokenProcessPool:
                last = job[0] + job[1] - 1
                yield [], f"world {world}, one of shadows {job[0]} to {last}: its process died"
                return
            self._fresh[len(run.requests), world] = run
            if self.store is not None and not fault and len({one.size for one in models}) == 1:
                self.store.save(_name(key, *job), np.stack(models))
            yield models, fault


def _name(key: str, start: int, count: int) -> str:
    return f"{key}-{start}-{count}"
