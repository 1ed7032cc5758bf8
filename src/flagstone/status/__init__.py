"""The read model: everything known about a run, derived from its files."""
