"""Finds witnesses for the rules of the core, in floats or by any library.  Decides nothing."""
