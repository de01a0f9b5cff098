"""Rényi divergences of a Gaussian pair."""

from __future__ import annotations

from certaudit.lemmas.gaussian import RENYI_OF_SHIFT

LEMMAS = (RENYI_OF_SHIFT,)
