"""Tables and their preprocessing: real data as exact float64 numbers."""
