"""What calls of agents cost, and what they may cost."""
