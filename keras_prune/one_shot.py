"""Pruning in one shot."""

from keras_prune.pruner import Pruner


def prune(
    model,
    sparsity,
    criterion="magnitude",
    granularity="unstructured",
    allocation="uniform",
    filters=None,
    data=None,
    seed=None,
    target=None,
    quantize=None,
):
    """Set the least important weights of a model to zero, in one shot and in place.

    The zeros are plain values: a later `fit()` lets them grow again, unless it has a
    `kp.PruneCallback`, which takes the zeros it finds for pruned weights.

    Example:

    ```python
    report = kp.prune(model, 0.8)
    print(report)
    ```

    Args:
        model: Built `keras.Model`.
        sparsity: Float in [0, 1), or `None` for what the granularity (`NM`) or the allocation
            (`PerLayer`) fixes.
        criterion: Str or object, see `kp.Pruner`. Defaults to `"magnitude"`.
        granularity: Str or object, see `kp.Pruner`. Defaults to `"unstructured"`.
        allocation: Str or object, see `kp.Pruner`. Defaults to `"uniform"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        data: Tuple of arrays (x, y) or iterable of batches (x, y), for criteria that look at
            data; refused by those that do not. Defaults to `None`.
        seed: Int or `None`. Fixes what a criterion draws at random.
        target: Str or `None`. The device whose kernels `granularity="auto"` chooses for:
            `"x86-avx512"`, `"x86-avx2"`, `"aarch64"`, `"cortex-m4"`, `"hexagon"` ..., see
            `kp.Auto`. Defaults to `None`.
        quantize: `None` or `"int8"`. Whether `granularity="auto"` chooses for a float32 or an int8
            file. Defaults to `None`.

    Returns:
        A `kp.PruningReport`: per weight what was asked, what was achieved or why it was
        skipped.

    Raises:
        ValueError: If an argument is wrong, the model is not built, or nothing in it can
            be pruned.
    """
    pruner = Pruner(
        sparsity,
        criterion=criterion,
        granularity=granularity,
        allocation=allocation,
        filters=filters,
        data=data,
        seed=seed,
        target=target,
        quantize=quantize,
    )
    return pruner.prune(model)
