"""The verbs of `flagstone campaign`, one module each."""
