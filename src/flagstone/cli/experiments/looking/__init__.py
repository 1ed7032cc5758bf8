"""The verbs of `flagstone experiment` that only show something."""
