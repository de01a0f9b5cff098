"""placeholder"""
from typing import Any
def cell(c: Any) -> str: return ""
def details(c: Any) -> Any: return []
def summary(c: Any) -> Any: return []
