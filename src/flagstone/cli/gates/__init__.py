"""Commands that decide about a stage."""
