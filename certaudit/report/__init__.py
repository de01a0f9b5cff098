"""Verdicts turned into text and JSON; nothing here decides anything."""
