"""Neural networks that are small and fast where they run."""
