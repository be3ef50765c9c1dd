"""Which weights stay, by scores of any kind."""


def choose(weights, scores, alive, granularity, allocation, sparsity):
    """Choose the weights to keep: how much of each layer, then which units.

    Args:
        weights: List of `PrunableWeight`.
        scores: List of float arrays of the shapes of the weights. Higher = keep.
        alive: List of bool arrays of these shapes. False where a weight is already pruned.
        granularity: `Granularity`.
        allocation: `Allocation`.
        sparsity: Float in [0, 1).

    Returns:
        List of bool arrays of the shapes of the weights.
    """
    full = granularity.full_view
    views = [
        (weight.to_view(score, full), weight.to_view(keep, full))
        for weight, score, keep in zip(weights, scores, alive, strict=True)
    ]
    amounts = allocation.amounts(views, granularity, sparsity, weights)
    return [
        weight.from_view(granularity.select(*view, amount))
        for weight, view, amount in zip(weights, views, amounts, strict=True)
    ]
