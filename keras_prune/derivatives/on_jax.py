"""Derivatives on JAX; see the functions of keras_prune.backend."""

import jax


def gradient_function(loss, count):
    return jax.jit(lambda values, batch: _slopes(loss, count, values, batch)(values[:count]))


def hessian_product_function(loss, count):
    def product(values, vectors, batch):
        slopes = _slopes(loss, count, values, batch)
        return jax.jvp(slopes, (values[:count],), (vectors,))[1]

    return jax.jit(product)


def _slopes(loss, count, values, batch):
    return jax.grad(lambda kernels: loss([*kernels, *values[count:]], batch))


def jacobian_function(outputs, count):
    def jacobian(values, inputs):
        return jax.jacrev(lambda kernels: outputs([*kernels, *values[count:]], inputs))(
            values[:count]
        )

    return jax.jit(jacobian)


def pullback(function, values, cotangent):
    return jax.vjp(function, values)[1](cotangent)[0]
