"""The part of scikit-learn that the example uses, in plain Python."""
