"""Look at what a person brings, ask, and create."""
