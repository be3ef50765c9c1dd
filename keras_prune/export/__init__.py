"""From a Keras model to files that devices run."""
