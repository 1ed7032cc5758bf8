"""The verbs of `flagstone trials`, one module each."""
