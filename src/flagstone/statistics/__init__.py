"""Plain functions over numbers, with known answers beside them in the tests."""
