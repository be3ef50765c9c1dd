"""Derivatives on TensorFlow; see the functions of keras_prune.backend."""

import tensorflow as tf


def gradient_function(loss, count):
    def gradient(values, batch):
        values = [tf.convert_to_tensor(value) for value in values]
        kernels = values[:count]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            value = loss(values, batch)
        found = tape.gradient(value, kernels, unconnected_gradients="zero")
        return [tf.convert_to_tensor(array) for array in found]  # an Embedding's is sparse

    return gradient


def hessian_product_function(loss, count):
    gradient = gradient_function(loss, count)

    def product(values, vectors, batch):
        values = [tf.convert_to_tensor(value) for value in values]
        kernels = values[:count]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            slopes = gradient(values, batch)
        found = tape.gradient(slopes, kernels, vectors, unconnected_gradients="zero")
        return [tf.convert_to_tensor(array) for array in found]

    return product


def jacobian_function(outputs, count):
    @tf.function
    def jacobian(values, inputs):
        kernels = values[:count]
        with tf.GradientTape(watch_accessed_variables=False, persistent=True) as tape:
            tape.watch(kernels)
            made = outputs(values, inputs)
        # Row after row: the vectorized way knows only some operations.
        return tape.jacobian(
            made, kernels, unconnected_gradients="zero", experimental_use_pfor=False
        )

    return lambda values, inputs: jacobian([tf.convert_to_tensor(v) for v in values], inputs)


def pullback(function, values, cotangent):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        made = function(values)
    return tape.gradient(made, values, cotangent, unconnected_gradients="zero")
