"""Why the facts of the losses hold: one module for each loss of which something is known."""
