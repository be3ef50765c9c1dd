"""Derivatives on PyTorch; see the functions of keras_prune.backend."""

import torch


def gradient_function(loss, count):
    return lambda values, batch: _slopes(loss, count, values, batch)[1]


def hessian_product_function(loss, count):
    def product(values, vectors, batch):
        leaves, slopes = _slopes(loss, count, values, batch, create_graph=True)
        # A loss that is linear in some kernel has a slope without history.
        curved = [(s, v) for s, v in zip(slopes, vectors, strict=True) if s.requires_grad]
        if not curved:
            return [torch.zeros_like(leaf) for leaf in leaves]
        slopes, vectors = zip(*curved, strict=True)
        return torch.autograd.grad(slopes, leaves, vectors, materialize_grads=True)

    return product


def _slopes(loss, count, values, batch, create_graph=False):
    leaves = [value.detach().requires_grad_() for value in values[:count]]
    others = [value.detach() for value in values[count:]]
    with torch.enable_grad():
        value = loss([*leaves, *others], batch)
        if not value.requires_grad:  # a constant
            return leaves, [torch.zeros_like(leaf) for leaf in leaves]
        slopes = torch.autograd.grad(
            value, leaves, create_graph=create_graph, materialize_grads=True
        )
    return leaves, slopes


def jacobian_function(outputs, count):
    def jacobian(values, inputs):
        leaves = [value.detach().requires_grad_() for value in values[:count]]
        others = [value.detach() for value in values[count:]]
        with torch.enable_grad():
            made = outputs([*leaves, *others], inputs)
        if not made.requires_grad:  # constants
            return [leaf.new_zeros(len(made), *leaf.shape) for leaf in leaves]
        rows = [
            torch.autograd.grad(value, leaves, retain_graph=True, materialize_grads=True)
            for value in made
        ]
        return [torch.stack(column) for column in zip(*rows, strict=True)]

    return jacobian


def pullback(function, values, cotangent):
    leaves = [value.detach().requires_grad_() for value in values]
    with torch.enable_grad():
        made = function(leaves)
    if not made.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    return torch.autograd.grad(made, leaves, cotangent, materialize_grads=True)
