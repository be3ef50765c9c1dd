"""The largest threshold that the loss on held-out data tolerates."""

import dataclasses

from keras_prune.pruner import Pruner
from keras_prune.regularizers.penalty import check_strength
from keras_prune.regularizers.threshold_search import ThresholdSearch


@dataclasses.dataclass(frozen=True)
class ToleranceReport:
    """What a search for a threshold has found.

    Args:
        threshold: Float. Units whose mean |w| is below it were pruned; 0.0 where no pruning was
            tolerated.
        sparsity: Float. The fraction of the prunable weights that is pruned now.
        loss: Float. The loss on held-out data with these weights pruned.
        allowed: Float. The loss that was tolerated.
        evaluations: Int. How often the model was evaluated.
    """

    threshold: float
    sparsity: float
    loss: float
    allowed: float
    evaluations: int


def prune_to_tolerance(
    model,
    validation_data,
    tolerance=0.05,
    best=None,
    granularity="unstructured",
    filters=None,
    evaluations=12,
):
    """Prune the smallest weights of a model, as many as its loss on held-out data tolerates.

    Bisects the threshold T between the smallest and the largest magnitude, from the mean
    magnitude on, for the largest T with

        loss with all |w| < T pruned  <=  best + tolerance * |best|

    One threshold serves all kernels, and one unit of each survives. The model is pruned in
    place and in one shot, see `kp.prune`; where nothing is tolerated it stays as it was. The
    rule is that of the program of [Tartaglione et al., 2022](https://arxiv.org/abs/2011.09905)
    (LOBSTER).

    Example:

    ```python
    report = kp.prune_to_tolerance(model, (x_held_out, y_held_out), tolerance=0.02)
    print(report.sparsity, report.loss)
    ```

    Args:
        model: Built and compiled `keras.Model`.
        validation_data: Tuple (x, y) or (x, y, sample_weight), `tf.data.Dataset` or
            `keras.utils.PyDataset`, as for `fit()`.
        tolerance: Float >= 0. By what fraction of `best` the loss may be worse. Defaults to
            `0.05`.
        best: Float or `None`. The loss to compare with. Defaults to that of the model as it is.
        granularity: Str or `Granularity`. Units compete by their mean |w|. Defaults to
            `"unstructured"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all layers.
        evaluations: Int >= 1. How often the model is evaluated at most while T is sought; each
            halves the interval. Defaults to `12`.

    Returns:
        A `ToleranceReport`.

    Raises:
        ValueError: If an argument is wrong or nothing in the model can be pruned.
    """
    check_search(validation_data, tolerance, evaluations)
    pruner = Pruner(0.0, "magnitude", granularity, "global", "one_shot", filters)
    if not model.compiled:
        raise ValueError(
            f"The loss on held-out data needs a compiled model. Received: model={model.name}"
        )
    pruner.prune(model)  # nothing: finds the kernels and what is zero already
    if best is None:
        best = held_out_loss(model, validation_data)
    allowed = best + tolerance * abs(best)
    return largest_tolerated(model, pruner, validation_data, allowed, evaluations)


def check_search(validation_data, tolerance, evaluations):
    """Refuse arguments that no search for a threshold can work with."""
    check_strength("tolerance", tolerance)
    if not isinstance(evaluations, int) or isinstance(evaluations, bool) or evaluations < 1:
        raise ValueError(
            f"Argument `evaluations` must be an int >= 1. Received: evaluations={evaluations}"
        )
    if validation_data is None:
        raise ValueError(
            "A threshold is sought on held-out data: pass `validation_data`. "
            "Received: validation_data=None"
        )


def held_out_loss(model, validation_data):
    """The compiled loss of a model on held-out data, as float."""
    arguments = {"verbose": 0, "return_dict": True}
    if isinstance(validation_data, tuple):
        names = ("x", "y", "sample_weight")[: len(validation_data)]
        arguments.update(zip(names, validation_data, strict=True))
    else:
        arguments["x"] = validation_data
    return float(model.evaluate(**arguments)["loss"])


def largest_tolerated(model, pruner, validation_data, allowed, evaluations):
    """Prune a model by the largest threshold whose loss is allowed.

    Args:
        model: Compiled `keras.Model`.
        pruner: `Pruner` with a mask store for the model. Pruned weights do not come back.
        validation_data: See `prune_to_tolerance`.
        allowed: Float. The largest loss.
        evaluations: Int. How often the model is evaluated at most.

    Returns:
        A `ToleranceReport`.
    """
    search, loss = ThresholdSearch(pruner), float("nan")
    try:
        while search.count < evaluations and search.open:
            threshold = search.next_threshold()
            value = held_out_loss(model, validation_data)
            if value <= allowed:
                loss = value
            search.answer(threshold, value <= allowed)
    finally:  # also where an evaluation fails: no trial stays behind
        search.settle()
    return ToleranceReport(search.found, pruner.store.sparsity, loss, allowed, search.count)
