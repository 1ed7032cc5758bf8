"""The verbs of `flagstone experiment`, one module each."""
