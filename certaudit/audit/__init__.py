"""The attacking half: shadows of both worlds, scores, statistics with confidence, conformance."""
