"""Exit codes, and the words for them."""

PROVED, REFUTED, ERROR, OPEN = 0, 1, 2, 3
WORDS = """exit codes:
  0  every claim proved, and no audit objects
  1  a claim refuted, by proof or statistically, or the implementation differs (wins over 3)
  2  could not run: bad spec, data or arguments, no claims at all, internal error
  3  a claim not proved, or a premise failed, or a check skipped
"""
