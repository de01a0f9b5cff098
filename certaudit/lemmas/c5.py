"""Gaussian DP to (epsilon, delta)."""

from __future__ import annotations

from certaudit.lemmas.gaussian import HOCKEY_STICK, MONOTONE

LEMMAS = (HOCKEY_STICK, MONOTONE)
