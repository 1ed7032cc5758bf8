"""`flagstone setup`."""
