"""Pack a run so that a stranger can verify it."""
