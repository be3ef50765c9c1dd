"""Iterative pruning: prune a little, retrain at a low learning rate, again."""

import numpy as np

from keras_prune import learning_rate
from keras_prune.granularity import get as _granularity
from keras_prune.recipes import training_state
from keras_prune.recipes.dropout_rates import DropoutRates
from keras_prune.recipes.round_plan import final_pruners
from keras_prune.recipes.rounds import Rounds
from keras_prune.recipes.tolerance import Tolerance


def iterative_prune(
    model,
    train,
    evaluate=None,
    sparsity=None,
    rounds=None,
    learning_rate_factor=0.1,
    tolerance=None,
    monitor=None,
    mode="auto",
    scale_dropout=False,
    criterion="magnitude",
    granularity="unstructured",
    allocation="uniform",
    filters=None,
    data=None,
    seed=None,
    directory=None,
    resume="epoch",
    target=None,
    quantize=None,
):
    """Prune a trained model in rounds, each followed by training of what is left.

    Round 0 is the model as it is given. Each later round prunes to the next sparsity and trains
    the survivors on from their current values, at a lower learning rate. From
    [Han et al., 2015](https://arxiv.org/abs/1506.02626). Pruned weights stay pruned: the masks of
    a round lie within those of the round before, and weights that are zero at the call count
    as pruned.

    Every round begins with the optimizer as it was at the call, its learning rate multiplied
    by `learning_rate_factor`, and with `keras.utils.set_random_seed(seed)`. With a `tolerance`
    the first round that loses more than that ends the call.

    Afterwards the model has the weights of the last round, or of the last round within the
    tolerance; its zeros are plain values. The optimizer and the Dropout layers are as they were at
    the call.

    With a `directory` nothing is lost when the process is killed, as in `kp.lottery_ticket`.

    Example:

    ```python
    def train(model, callbacks, round):
        model.fit(x, y, epochs=2, callbacks=callbacks, verbose=0)

    report = kp.iterative_prune(
        model, train, (x_test, y_test), sparsity=0.9, rounds=4, tolerance=0.01
    )
    print(report)
    ```

    Args:
        model: Built, compiled, trained `keras.Model`.
        train: Callable(model, callbacks, round) that calls `model.fit`, once or more, with
            `callbacks`, those of its own before them. It must not compile the model.
        evaluate: Callable(model) that returns a number or a dict of them, or what
            `model.evaluate` takes: a tuple of arrays (x, y), a data set. Defaults to `None`:
            rounds are not evaluated.
        sparsity: Float in [0, 1): what the last round makes, every round pruning the same
            fraction of what is left. Or a list of floats that do not fall, one a round.
            Defaults to what the allocation (`kp.PerLayer`) fixes, else `0.8`.
        rounds: Int >= 1. Defaults to the length of the list, else `5`.
        learning_rate_factor: Float in (0, 1], or a list of them, one a round; `None` leaves
            the learning rate alone. Defaults to `0.1`.
        tolerance: Float >= 0 or `None`. How much worse than in round 0 the evaluation may
            become. Defaults to `None`: all rounds are done.
        monitor: Str. The name in the evaluation that `tolerance` looks at. Defaults to the
            first that is not `"loss"`, if there is one.
        mode: Str. `"max"` if more is better, `"min"` if less is, `"auto"`: `"min"` for names
            with "loss" or "error" in them, else `"max"`. Defaults to `"auto"`.
        scale_dropout: Bool. Multiply the rate of every Dropout layer by the root of the
            density of the kernels before it while a round trains, as Han et al. do. Defaults
            to `False`.
        criterion: Str or object, see `kp.Pruner`. Defaults to `"magnitude"`.
        granularity: Str or object, see `kp.Pruner`. Defaults to `"unstructured"`.
        allocation: Str or object, see `kp.Pruner`. A `kp.PerLayer` is what the last round
            makes. Defaults to `"uniform"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        data: Tuple of arrays (x, y) or iterable of batches (x, y), for criteria that look at
            data; refused by those that do not. Defaults to `None`.
        seed: Int >= 0 or `None`. Defaults to one drawn from numpy's global generator, which
            a `directory` remembers.
        directory: Path-like. Where the state of the call is kept; made where it is missing.
            Defaults to `None`, in memory.
        resume: Str. `"epoch"` or `"round"`: where a killed round goes on. Defaults to
            `"epoch"`.
        target: Str or `None`. The device that `granularity="auto"` chooses for, see `kp.Pruner`.
            All rounds prune in the shapes of the last. Defaults to `None`.
        quantize: `None` or `"int8"`, see `kp.Pruner`. Defaults to `None`.

    Returns:
        A `kp.RoundsReport`: for every round its density, evaluation, seconds and masks.

    Raises:
        ValueError: If an argument is wrong, `train` does not use the callbacks or compiles the
            model, or the directory is damaged or of another call.
    """
    granularity = _granularity(granularity, target, quantize)
    settings = dict(criterion=criterion, granularity=granularity, filters=filters)
    pruners = final_pruners(sparsity, rounds, allocation, data=data, seed=seed, **settings)
    factors = _factors(learning_rate_factor, len(pruners), model)
    limit = Tolerance(tolerance, monitor, mode, evaluate)
    rates = DropoutRates(model) if scale_dropout else None
    settings = {
        "recipe": "iterative_prune",
        "sparsity": [pruner.sparsity for pruner in pruners],
        "allocation": [pruner.allocation for pruner in pruners],
        "criterion": criterion,
        "granularity": pruners[0].granularity,
        "filters": "callable" if callable(filters) else filters,
        "learning_rate_factor": factors,
        "tolerance": (tolerance, monitor, mode),
        "scale_dropout": scale_dropout,
    }
    plan = Rounds(model, train, evaluate, pruners, settings, seed, directory, resume)
    plan.masks[0] = _given_masks(plan)
    kept = _prune(plan, factors, limit, rates)
    training_state.put_variables(model, plan.trained)
    training_state.put_optimizer(model.optimizer, plan.initial)
    return plan.report("Iterative pruning", kept)


def _given_masks(plan):
    """The zeros of the model as it was given; a kernel that is zero throughout stays free."""
    weights = [weight.variable for weight in plan.weights]
    values = [training_state.value_in(plan.model, plan.initial, weight) for weight in weights]
    return [value != 0.0 if value.any() else np.ones(value.shape, bool) for value in values]


def _prune(plan, factors, limit, rates):
    """Go through the rounds; returns the last that counts."""
    for number in range(len(plan.pruners) + 1):
        if number == len(plan.rows):
            _round(plan, number, factors, limit, rates)
        if not limit.holds(plan.rows[0], plan.rows[number]):
            return number - 1
    return len(plan.pruners)


def _round(plan, number, factors, limit, rates):
    if number == 0:
        evaluation, seconds = plan.timed_evaluation()
    else:
        evaluation, seconds = _retrain(plan, number, factors[number - 1], rates)
    plan.rows.append({"evaluation": evaluation, "seconds": seconds})
    if limit.holds(plan.rows[0], plan.rows[-1]):
        plan.trained = training_state.take(plan.model)
    plan.commit()


def _retrain(plan, number, factor, rates):
    """Prune and train on, at a learning rate and Dropout rates that are put back afterwards."""
    masks, optimizer = plan.masks_of(number), plan.model.optimizer
    training_state.put_variables(plan.model, plan.masked(plan.trained, masks))
    training_state.put_optimizer(optimizer, plan.initial)
    try:
        if factor is not None:
            learning_rate.scale(optimizer, factor)
        if rates is not None:
            rates.scale()
        return plan.run(f"{number}", number, masks)
    finally:
        training_state.put_optimizer(optimizer, plan.initial)
        if rates is not None:
            rates.restore()


def _factors(factor, rounds, model):
    """One factor a round, each a number in (0, 1] or `None`."""
    factors = list(factor) if isinstance(factor, (list, tuple)) else [factor] * rounds
    if len(factors) != rounds or not all(map(_is_factor, factors)):
        raise ValueError(
            "Argument `learning_rate_factor` must be a number in (0, 1], one for each of "
            f"{rounds} rounds, or None. Received: learning_rate_factor={factor}"
        )
    if factors != [None] * rounds and getattr(model, "optimizer", None) is not None:
        learning_rate.check(model.optimizer)
    return factors


def _is_factor(value):
    if value is None:
        return True
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0.0 < value <= 1.0
