"""What people are shown of an experiment."""
