"""Short programs that a user would write, each run by the tests."""
