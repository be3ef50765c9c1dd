"""Diagonals of the Hessian of the mean loss: exact, and three estimates of it."""

import itertools

import numpy as np

LARGEST_EXACT = 10_000


def exact(probe, weights, samples, generator):
    """h_ii of the Hessian itself: one Hessian-vector product a weight."""
    del samples, generator
    total = sum(weight.size for weight in weights)
    if total > LARGEST_EXACT:
        raise ValueError(
            f'`diagonal="exact"` costs a pass over the data for each weight and takes at most '
            f'{LARGEST_EXACT} weights: use "hutchinson", or `filters`. Received: {total} weights'
        )
    diagonals = [np.zeros(weight.shape, np.float32) for weight in weights]
    vectors = [np.zeros(weight.shape, np.float32) for weight in weights]
    for diagonal, vector, index in zip(diagonals, vectors, itertools.count()):
        for position in np.ndindex(diagonal.shape):
            vector[position] = 1.0
            diagonal[position] = probe.hessian_products(weights, vectors)[index][position]
            vector[position] = 0.0
    return diagonals


def hutchinson(probe, weights, samples, generator):
    """Mean of v * Hv over random signs v: h_ii in expectation."""
    means = [np.zeros(weight.shape, np.float32) for weight in weights]
    for _ in range(samples or 16):
        vectors = [_signs(generator, weight.shape) for weight in weights]
        products = probe.hessian_products(weights, vectors)
        for mean, vector, product in zip(means, vectors, products, strict=True):
            mean += vector * product / np.float32(samples or 16)
    return means


def fisher(probe, weights, samples, generator):
    """Mean over the examples of their squared gradients (the empirical Fisher)."""
    del generator
    return probe.gradients(weights, of=_square, batches=_first(probe, samples))


def gauss_newton(probe, weights, samples, generator):
    """Diagonal of J' H_L J, J the outputs' Jacobian and H_L the loss's Hessian in the outputs.

    The squared gradient of a loss with labels drawn from the model is that in expectation:
    a class from its probabilities, or a value at distance sqrt(K / 2) for the mean of K
    squared errors.
    """
    draw = _DRAWS.get(probe.objective.outputs)
    if draw is None:
        raise ValueError(
            '`diagonal="gauss_newton"` is for a categorical crossentropy or a mean squared error: '
            'use "fisher" or "hutchinson" with other losses. '
            f"Received: loss={probe.objective.loss or probe.model.loss}"
        )
    batches = (
        (x, draw(probe.predict(x), y, generator), sample_weight)
        for x, y, sample_weight in _first(probe, samples)
    )
    return probe.gradients(weights, of=_square, batches=batches)


DIAGONALS = {
    "fisher": fisher,
    "gauss_newton": gauss_newton,
    "hutchinson": hutchinson,
    "exact": exact,
}


def _square(weight, gradient):
    del weight
    return np.square(gradient)


def _signs(generator, shape):
    return generator.integers(0, 2, shape).astype(np.float32) * 2.0 - 1.0


def _first(probe, samples):
    return itertools.islice(probe.examples(), samples)


def _draw_class(probabilities, y, generator):
    """A class for each row of (..., C), in the form of `y`: an index, or one-hot."""
    ends = np.cumsum(probabilities, axis=-1)
    drawn = (generator.random((*ends.shape[:-1], 1)) * ends[..., -1:] >= ends).sum(-1)
    if y.shape == probabilities.shape:
        return np.eye(y.shape[-1], dtype=y.dtype)[drawn]
    return drawn.reshape(y.shape).astype(y.dtype)


def _draw_class_from_logits(logits, y, generator):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return _draw_class(powers / powers.sum(-1, keepdims=True), y, generator)


def _draw_value(y_pred, y, generator):
    values = y_pred + _signs(generator, y_pred.shape) * np.sqrt(y_pred[0].size / 2)
    return values.reshape(y.shape).astype(np.float32)


_DRAWS = {
    "probabilities": _draw_class,
    "logits": _draw_class_from_logits,
    "values": _draw_value,
}
