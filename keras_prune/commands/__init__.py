"""The commands of `keras-prune`: each has a summary, a description, arguments and `run`."""
