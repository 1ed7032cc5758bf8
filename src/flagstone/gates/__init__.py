"""The state of each gate, and the decisions that open and close it. Standard library and YAML only."""
