"""A small network learns a wave."""
