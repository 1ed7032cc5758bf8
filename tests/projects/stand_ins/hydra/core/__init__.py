"""Where Hydra keeps what it knows of a run."""
