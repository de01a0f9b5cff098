"""Attacks on shadow models, each with valid confidence."""
