"""Shadow models: many runs of the spec's dynamics at once, in both worlds."""
