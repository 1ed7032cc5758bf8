"""Edits as trees: what a candidate is, how it is stored, and how it is laid out to be run."""
