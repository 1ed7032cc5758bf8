"""Commands that show a marker, and what a terminal shows of a session."""
