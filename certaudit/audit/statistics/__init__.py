"""What shadows show, with valid confidence: e-processes, fixed designs, confidence bounds, power."""
