"""What is to be run before a stage: the one reader of a plan."""
