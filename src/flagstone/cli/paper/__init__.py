"""The commands about the paper of a run."""
