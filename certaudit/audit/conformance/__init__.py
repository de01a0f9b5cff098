"""Whether an implementation is the one its spec describes (A6 of section 8)."""
