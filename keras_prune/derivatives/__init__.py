"""What keras_prune.backend differentiates with: a module for each Keras backend."""
