"""What a pruned network still is: signal paths, tangent kernel, counts of its activations."""
