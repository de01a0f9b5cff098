"""What the models of foreign code say of how it was run, whatever its spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from certaudit.audit.conformance.result import Check, ConformanceReport
from certaudit.audit.implementations.load import printable
from certaudit.run import WORLDS, Run, World

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Made:
    """A model: what an observer gets of it, a fingerprint of what each call gave ("" if unknown), files
    opened for writing outside its own folder, processes left running."""

    vector: Floats
    prints: tuple[str, ...]
    wrote: tuple[str, ...] = ()
    left: int = 0


Models = Mapping[World, Sequence[Made]]

OUT_OF_REACH = (
    "released models hardly tell the shape of each step's noise where its variance is right: no audit "
    "of this size sees half precision, and uniform noise shows only where few steps count, after "
    "thousands of models; a recorded trace shows both (certaudit conform)"
)

CHANCE_BITS = 20
"""Equal models by chance have probability at most 2^-20."""


def _fact(name: str, where: str, broken: int, meaning: str) -> Check:
    return Check(name, where, float(broken), float(broken == 0), 0.0, meaning)


def checks(run: Run, made: Models, broken: str | None) -> Iterator[Check]:
    """Facts about the models of a run: their size, and that no two are equal where noise is drawn."""
    yield _size(made, broken)
    yield from _different(run, made)
    yield from _unlearned(run, made)


def _size(made: Models, broken: str | None) -> Check:
    """All models release vectors of one size."""
    sizes = sorted({one.vector.size for world in WORLDS for one in made[world]})
    changed = broken is not None and "parameters, where shadow 0 has" in broken
    text = f"models release vectors of {' and '.join(str(size) for size in sizes)} numbers"
    if broken is not None and changed:
        text = broken
    return _fact("size", "both worlds", int(changed or len(sizes) > 1), text)


def _different(run: Run, made: Models) -> Iterator[Check]:
    """No two models, learned or unlearned, are equal: seeds are all different.

    Only where the spec's noise by then leaves enough different vectors, in single precision, that two
    are equal by chance with probability below 1e-6.
    """
    seen: dict[int, list[str]] = {}
    for world in WORLDS:
        segments = run.program(world)
        for k in range(len(segments)):
            prints = [p for one in made[world] if k < len(one.prints) and (p := one.prints[k])]
            if _bits(run, world, k, made[world]) >= CHANCE_BITS + 2 * np.log2(max(len(prints), 1)):
                yield _no_duplicates(f"world {world}, {_after(k)}", prints)
                seen.setdefault(k, []).extend(dict.fromkeys(prints))
    for k, prints in seen.items():
        yield _no_duplicates(f"between worlds, {_after(k)}", prints)


def _unlearned(run: Run, made: Models) -> Iterator[Check]:
    """No request gives the model back as it was, bit for bit: not once where noise is added, and not
    always where none is."""
    for k, request in enumerate(run.requests, start=1):
        pairs = [one.prints[k - 1 : k + 1] for one in made["P"] if k < len(one.prints)]
        equal = sum(before == after != "" for before, after in pairs)
        if not request.unlearn.noise_variance and equal < max(len(pairs), 2):
            equal = 0
        text = f"unlearn gave {equal} of {len(pairs)} models back as it got them: it did nothing"
        yield _fact("unlearning", f"world P, request {k}", equal, text)


def _after(call: int) -> str:
    return "after learning" if call == 0 else f"after request {call}"


def _bits(run: Run, world: World, call: int, models: Sequence[Made]) -> float:
    """Bits, in single precision, of the noise that a world's models have after a call, at least."""
    segments = run.program(world)
    variances = [run.start.variance]
    variances += [s.phase.noise_variance for s in segments[: call + 1] if s.phase.steps]
    if call == len(segments) - 1:
        variances.append(run.output_noise(world))
    largest = max((float(np.abs(one.vector).max()) for one in models), default=0.0)
    ratio = float(max(variances)) ** 0.5 / largest if largest else 0.0
    return run.parameters * max(np.log2(ratio) + 23, 0.0) if ratio else 0.0


def _no_duplicates(where: str, prints: Sequence[str]) -> Check:
    equal = len(prints) - len(set(prints))
    text = (
        f"{equal} of {len(prints)} models equal another made with another seed: the code uses a part of "
        "its seed, or none, or keeps what it drew"
    )
    return _fact("seeds", where, equal, text)


def repeats(again: Sequence[tuple[tuple[World, int], bool]]) -> Check:
    """``again``: models made twice, and whether they were equal bit for bit."""
    other = sorted(place for place, equal in again if not equal)
    text = f"{len(again)} models were made twice with the same seeds"
    if other:
        first = f"the first: world {other[0][0]}, shadow {other[0][1]}"
        text = (
            f"{len(other)} of {text}, and came out otherwise ({first}): the code depends on something "
            "other than its seed, or keeps state"
        )
    return _fact("made twice", "both worlds", len(other), text)


def unchanged(before: str, after: str) -> Check:
    """The code was the same at the audit's end, by the digest of its files."""
    text = "the code's files changed while it was audited"
    return _fact("same code", "both worlds", int(before != after), text)


def joined(report: ConformanceReport | None, facts: Sequence[Check]) -> ConformanceReport | None:
    """A comparison with a spec (None: there was none), and these facts beside it.

    Facts that are kept make no comparison: code that was not compared with its spec stays so.
    """
    if report is None or not report.checks:
        if not any(check.failed for check in facts):
            return report
        report = report or ConformanceReport(0.0, 0, (), compared="models of the code with each other")
    return replace(report, checks=(*report.checks, *facts))


def remarks(run: Run, made: Models) -> Iterator[str]:
    """One-line notes, none of which decides anything."""
    noisy = run.start.variance > 0 or any(
        segment.phase.noise_variance > 0 for world in WORLDS for segment in run.program(world)
    )
    for world in WORLDS:
        models = made[world]
        equal = len(models) - len({one.vector.tobytes() for one in models})
        if models and equal == len(models) - 1 > 0:
            yield (
                f"all {len(models)} models of world {world} are equal: the code ignores its seed, or "
                "draws nothing"
            )
        elif equal and not noisy and not run.output_noise(world):
            yield f"{equal} of {len(models)} models of world {world} equal another"
    everything = [one for world in WORLDS for one in made[world]]
    for path in sorted({path for one in everything for path in one.wrote}):
        count = sum(path in one.wrote for one in everything)
        yield (
            f"{count} models opened {printable(path)!r} for writing: what they leave there can reach "
            "other models"
        )
    steps = {segment.phase.steps for segment in run.program("P") if segment.phase.noise_variance > 0}
    if max(steps, default=0) > 1:
        yield OUT_OF_REACH
    left = sum(one.left > 0 for one in everything)
    if left:
        yield f"{left} models left processes running, which were ended"
