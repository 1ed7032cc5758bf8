"""When sessions begin without a person: the next time, timers of the system, and the process that serves them."""
