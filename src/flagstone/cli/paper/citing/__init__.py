"""The verbs of `flagstone paper cite`, one module each."""
