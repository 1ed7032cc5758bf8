"""Readers of file formats: what a file is, whatever it claims."""
