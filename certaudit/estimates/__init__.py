"""The exact tier in floats, for many points at once: fast numbers with error estimates, no proofs.

laws (both worlds of every point) -> pairs (eigenvalues and weights) -> epsilon (contours).
"""
