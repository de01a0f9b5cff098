"""How far training has come: a bar on stderr, on a terminal only, once it takes a second."""

from __future__ import annotations

import sys
from typing import Never

from tqdm import tqdm

from certaudit.run import World


def progress(world: World, total: int, unit: str) -> tqdm[Never]:
    """A bar that counts up to ``total`` units of work on the shadows of a world."""
    return tqdm(
        total=total,
        desc=f"shadows of world {world}",
        unit=unit,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        delay=1.0,
        leave=False,
    )
