"""Improve one number by editing a declared set of files."""
