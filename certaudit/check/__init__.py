"""The second checker of certificates: the standard library and gmpy2, nothing shared with the first.

Every rule is written from the theory and evaluated in intervals with directed rounding.
"""

from .checker import Judged, Report
from .confined import check_bytes, check_file

__all__ = ["Judged", "Report", "check_bytes", "check_file"]
