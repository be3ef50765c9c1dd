"""A digit model from training to the console of a microcontroller."""
