"""Published theorems that a claim may name: their premises on this run, and their own value.

The value is what the theorem would give if its premises held.  It is shown beside the verdict and
never decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from certaudit.claims import Claim, Theorem
from certaudit.search.evidence import Evidence
from certaudit.search.published.benarroch_2026 import benarroch_2026
from certaudit.search.published.chien_2024a import chien_2024a
from certaudit.search.published.chien_2024b import chien_2024b
from certaudit.search.published.guo_2020 import guo_2020
from certaudit.search.published.koloskova_2025 import koloskova_2025
from certaudit.search.published.neel_2021 import neel_2021
from certaudit.search.published.sepahvand_2025 import sepahvand_2025
from certaudit.verdict import Bound, NamedTheorem

Check = Callable[[Evidence, Claim, Sequence[Bound]], NamedTheorem]

THEOREMS: dict[Theorem, Check] = {
    "benarroch-2026": benarroch_2026,
    "chien-2024a": chien_2024a,
    "chien-2024b": chien_2024b,
    "neel-2021": neel_2021,
    "koloskova-2025": koloskova_2025,
    "sepahvand-2025": sepahvand_2025,
    "guo-2020": guo_2020,
}
