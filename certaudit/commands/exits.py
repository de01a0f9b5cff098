"""Exit codes, and the words for them."""

from certaudit.judgement.result import Result

PROVED, REFUTED, ERROR, OPEN = 0, 1, 2, 3
CODES = {Result.PASS: PROVED, Result.FAIL: REFUTED, Result.ERROR: ERROR, Result.OPEN: OPEN}
WORDS = """exit codes:
  0  PASS: every claim proved, nothing objects, the implementation (if named) agrees with the spec
  1  FAIL: a claim refuted by proof or attack, the implementation differs, a policy broken (wins over 3)
  2  ERROR: could not run: bad spec, data or arguments, no claims at all, internal error
  3  OPEN: a claim not proved, a check that could not be made, or a policy asks for more
"""
