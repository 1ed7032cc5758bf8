"""The commands of `flagstone marker`, one module each."""
