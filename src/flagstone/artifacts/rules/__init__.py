"""What is asked of a stage, rule by rule."""
