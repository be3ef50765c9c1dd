"""Published tables and speed claims: each one command, results kept as JSON and as tables."""
