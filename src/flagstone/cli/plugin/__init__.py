"""The verbs of `flagstone plugin`, one module each."""
