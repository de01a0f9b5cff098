"""Which calls make a shadow model, and with which seeds."""

from __future__ import annotations

import numpy as np

from certaudit.audit.implementations.model import Call
from certaudit.run import WORLDS, Run, World

SEEDS = 1 << 32
HALF = 1 << 16
PHASES = 1 << 10


def seed_of(seed: int, world: World, shadow: int, phase: int) -> int:
    """The seed below 2^32 of a phase of a shadow: 0 learns, k serves request k.

    Seeds of one audit are all different (a permutation of the numbers below 2^32, drawn from the audit's
    seed) as long as it has fewer than 2^21 shadows.  Four Feistel rounds on the two halves mix them, so
    that code that uses a part of its seed, as ``seed % 1000``, sees a fair draw of that part.
    """
    index = (shadow * PHASES + phase) * len(WORLDS) + WORLDS.index(world)
    left, right = divmod(index % SEEDS, HALF)
    for key in np.random.SeedSequence(seed).generate_state(4, np.uint64).tolist():
        left, right = right, left ^ _mix(right ^ key)
    return left * HALF + right


def _mix(number: int) -> int:
    """A number below 2^64 to one below 2^16 (SplitMix64's finalizer; Steele, Lea, Flood 2014)."""
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % (1 << 64)
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % (1 << 64)
    return (number ^ (number >> 31)) % HALF


def calls(run: Run, world: World, shadow: int, seed: int) -> tuple[Call, ...]:
    """World P learns and serves every request, Q is the reference without the rows.

    For request k the data are those left by the requests before it, and ``forget`` counts rows in them;
    a reference that unlearns as well is asked to forget nothing.
    """
    gone: tuple[int, ...] = () if world == "P" else run.forget
    both = run.release == "before-and-after"
    made = [Call("learn", gone, (), seed_of(seed, world, shadow, 0), shown=both)]
    unlearns = world == "P" or run.reference.kind == "unlearn-retrained"
    for k, request in enumerate(run.requests if unlearns else (), start=1):
        left = np.delete(np.arange(run.n), gone).tolist()
        forget = tuple(left.index(j) for j in request.rows) if world == "P" else ()
        made.append(Call("unlearn", gone, forget, seed_of(seed, world, shadow, k)))
        gone += request.rows if world == "P" else ()
    return tuple(made)
