"""Other people's learn and unlearn functions as the source of shadow models."""
