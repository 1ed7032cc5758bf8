"""Readers of what a finished run left: logs, event files, tables, records, and a person's own code."""
