"""What happened, line by line, and what is derived from it."""
