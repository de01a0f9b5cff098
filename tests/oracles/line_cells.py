"""The masses two laws on a line give to common cells and to common points."""

from dataclasses import dataclass
from math import inf

import numpy as np
from oracles.line_law import Law
from oracles.line_pushed import Atoms, keeps_apart, pushed

FINE, FINEST = 0.02, 0.004
MOST_CELLS = 20000
SAME = 1e-9


@dataclass(frozen=True)
class Side:
    """One law: its masses on cells, its densities at their left and right ends, its points."""

    masses: np.ndarray
    left: np.ndarray
    right: np.ndarray
    atoms: Atoms


@dataclass(frozen=True)
class Cells:
    """Two laws on common cells of these ``widths``, and their masses on common points.

    ``points``: on points that are the same up to rounding; ``apart``: to the last digit.
    ``smooth``: the densities at the ends are known.
    """

    widths: np.ndarray
    p: Side
    q: Side
    points: tuple[np.ndarray, np.ndarray]
    apart: tuple[np.ndarray, np.ndarray]
    smooth: bool


def cells(first: Law, second: Law, finest: bool = False) -> Cells:
    """Cells fine enough for both laws."""
    first, second = _before_common_maps(first, second)
    smooth = not first.after and not second.after
    fine = FINEST if finest else FINE
    edges = np.unique(np.concatenate([_edges(first, fine), _edges(second, fine)]))
    if not smooth:
        edges = _aside(edges)
    p, q = (_side(law, edges, smooth) for law in (first, second))
    points, apart = (_together(p.atoms, q.atoms, tolerance) for tolerance in (SAME, 0.0))
    return Cells(np.diff(edges), p, q, points, apart, smooth)


def _aside(edges: np.ndarray) -> np.ndarray:
    """Edges that are not too close to each other, each a little beside a given one."""
    gap = 1e-7 * (edges[-1] - edges[0]) + 1e-12
    _, first = np.unique(np.round(edges / gap), return_index=True)
    edges = edges[first]
    room = np.append(np.diff(edges), gap)
    return np.append(edges[0] - gap, edges + 0.37 * room)


def _before_common_maps(first: Law, second: Law) -> tuple[Law, Law]:
    """Without the noiseless steps at the end, if both worlds share them and lose nothing there."""
    if not first.after or first.after != second.after or first.line.radius < inf:
        return first, second
    ends = [law.bumps.support() for law in (first, second)]
    if not keeps_apart(first, min(e[0] for e in ends), max(e[1] for e in ends)):
        return first, second
    return Law(first.line, first.bumps), Law(second.line, second.bumps)


def _edges(law: Law, fine: float) -> np.ndarray:
    low, high = law.bumps.support()
    if law.bumps.deviation == 0:
        return law.image(law.bumps.centers)
    count = int((high - low) / (fine * law.bumps.deviation)) + 2
    w = np.linspace(low, high, min(count, MOST_CELLS))
    if law.after:
        w = np.append(w, law.breaks())
    elif law.bumps.radius < inf:
        w = np.append(w, [-law.bumps.radius, law.bumps.radius])
    return law.image(w)


def _side(law: Law, edges: np.ndarray, smooth: bool) -> Side:
    bumps, none = law.bumps, np.zeros(len(edges) - 1)
    if bumps.deviation == 0:
        return Side(none, none, none, (law.image(bumps.centers), bumps.masses))
    atoms = np.zeros(0), np.zeros(0)
    if bumps.radius < inf:
        atoms = law.image(np.array([-bumps.radius, bumps.radius])), np.array(bumps.ends())
    if law.after:
        masses, atoms = pushed(law, edges, atoms)
        return Side(masses, none, none, atoms)
    masses = bumps.between(np.clip(edges, -bumps.radius, bumps.radius))
    if not smooth:
        return Side(masses, none, none, atoms)
    inside = np.abs((edges[1:] + edges[:-1]) / 2) < bumps.radius
    density = bumps.density(edges)
    return Side(masses, density[:-1] * inside, density[1:] * inside, atoms)


def _together(a: Atoms, b: Atoms, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Masses of a and b on common points."""
    places = np.concatenate([a[0], b[0]])
    if not len(places):
        return np.zeros(0), np.zeros(0)
    order = np.argsort(places)
    gaps = np.diff(places[order]) > tolerance * (1 + np.abs(places[order][1:]))
    group = np.empty(len(places), dtype=int)
    group[order] = np.concatenate([[0], np.cumsum(gaps)])
    found = np.zeros((2, group.max() + 1))
    np.add.at(found[0], group[: len(a[0])], a[1])
    np.add.at(found[1], group[len(a[0]) :], b[1])
    return found[0], found[1]
