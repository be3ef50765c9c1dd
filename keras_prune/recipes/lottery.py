"""The lottery ticket: train, prune, rewind, train again."""

import dataclasses

from keras_prune.recipes import training_state
from keras_prune.recipes.lottery_controls import CONTROLS, random_masks, reinitialized
from keras_prune.recipes.round_callback import Place
from keras_prune.recipes.round_plan import lottery_pruners
from keras_prune.recipes.rounds import Rounds


def lottery_ticket(
    model,
    train,
    evaluate=None,
    rounds=None,
    fraction=None,
    sparsity=None,
    rewind_step=0,
    control=None,
    criterion="magnitude",
    granularity="unstructured",
    allocation="uniform",
    filters=None,
    data=None,
    seed=None,
    directory=None,
    resume="epoch",
):
    """Find a sparse network that trains from the initial weights of the dense one.

    Round 0 trains the model as it is. Each later round prunes a fraction p of the weights that
    are left, by what the last round made of them, sets the others back to what they were before
    training, and trains again: after n rounds a density of (1 - p) ** n is left, each mask
    within the one before. From [Frankle & Carbin, 2019](https://arxiv.org/abs/1803.03635);
    `rewind_step` > 0 is the late rewinding of
    [Frankle et al., 2019](https://arxiv.org/abs/1903.01611).

    Everything is set back, to the bit: kernels, biases, normalization, the random number
    generators of layers, the optimizer with its slots. Every round begins with
    `keras.utils.set_random_seed(seed)`, so round 0 is what `fit` does after that call, and
    every round sees the examples in the same order. A late rewind goes on with the epoch that
    holds the step: with step k at the beginning of an epoch the rest of training is repeated.

    Afterwards the model has the trained weights and the optimizer's state of the last round's
    ticket; its zeros are plain values.

    With a `directory` nothing is lost when the process is killed: the same call goes on where
    it was, to the same result, within a round at its last whole epoch. What `fit` itself does
    not remember (the patience of another callback, the position in an endless data set)
    begins anew there; with `resume="round"` a killed round is repeated instead. Data that
    shuffle themselves must be made within `train`.

    Example:

    ```python
    def train(model, callbacks, round):
        model.fit(x, y, epochs=5, callbacks=callbacks, verbose=0)

    report = kp.lottery_ticket(model, train, evaluate=(x_test, y_test), rounds=4, seed=0)
    print(report)
    ```

    Args:
        model: Built, compiled `keras.Model` with its initial weights.
        train: Callable(model, callbacks, round) that calls `model.fit`, once or more, with
            `callbacks`, those of its own before them. It must not compile the model.
        evaluate: Callable(model) that returns a number or a dict of them, or what
            `model.evaluate` takes: a tuple of arrays (x, y), a data set. Defaults to `None`:
            rounds are not evaluated.
        rounds: Int >= 1. Rounds after round 0. Defaults to as many as `sparsity` needs,
            else `5`.
        fraction: Float in (0, 1): what each round prunes of the weights that are left. Or a
            dict from regex strings, searched for in the paths of kernels as in `kp.PerLayer`, to
            such fractions: `{"logits": 0.1, "": 0.2}`. Defaults to what `rounds` and
            `sparsity` fix together, else `0.2`.
        sparsity: Float in (0, 1). What the last round makes. Defaults to what `rounds` and
            `fraction` lead to.
        rewind_step: Int >= 0. The optimizer step of round 0 that survivors go back to.
            Defaults to `0`, the model as it is given.
        control: Str or tuple of str. What to train too in every round, to compare:
            `"random_reinit"`, the same masks on fresh initial weights from the start;
            `"random_mask"`, as many weights in every layer, drawn at random, from where the
            ticket starts. Defaults to `None`.
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

    Returns:
        A `kp.RoundsReport`: for every round its density, evaluation, seconds and masks.

    Raises:
        ValueError: If an argument is wrong, `train` does not use the callbacks or compiles the
            model, or the directory is damaged or of another call.
    """
    controls = _check_controls(control)
    _check_step(rewind_step)
    settings = dict(criterion=criterion, granularity=granularity, filters=filters)
    pruners = lottery_pruners(
        fraction, rounds, sparsity, allocation, data=data, seed=seed, **settings
    )
    settings = {
        "recipe": "lottery_ticket",
        "sparsities": [pruner.sparsity for pruner in pruners],
        "allocation": [pruner.allocation for pruner in pruners],
        "criterion": criterion,
        "granularity": pruners[0].granularity,
        "filters": "callable" if callable(filters) else filters,
        "rewind_step": rewind_step,
        "control": controls,
    }
    plan = Rounds(model, train, evaluate, pruners, settings, seed, directory, resume)
    for number in range(len(pruners) + 1):
        _ticket(plan, number, rewind_step)
        for name in controls if number else ():
            _control(plan, number, name)
    training_state.put(model, plan.trained)
    return plan.report("Lottery ticket", len(pruners))


def _ticket(plan, number, rewind_step):
    """Train the ticket of a round, unless it has been."""
    if number < len(plan.rows):
        return
    if number == 0:
        row = _first(plan, rewind_step)
    else:
        masks = plan.masks_of(number)
        row = plan.run(f"{number} ticket", number, masks, _rewind(plan, masks))
    plan.trained = training_state.take(plan.model)
    plan.rows.append({"evaluation": row[0], "seconds": row[1], "controls": {}})
    plan.commit()


def _first(plan, rewind_step):
    """Train round 0 and note the state at the step to rewind to."""
    if not rewind_step or plan.store.load("rewind") is not None:
        return plan.run("0 ticket", 0)

    def mark(place):
        values = {"place": dataclasses.asdict(place)}
        plan.store.save("rewind", training_state.take(plan.model), values)

    row = plan.run("0 ticket", 0, mark_step=rewind_step, mark=mark)
    if plan.store.load("rewind") is None:
        raise ValueError(
            "`rewind_step` must lie before the last step of the training that `train` does. "
            f"Received: rewind_step={rewind_step}"
        )
    return row


def _rewind(plan, masks):
    """Set the model back, the pruned weights to zero; returns the place to begin at."""
    arrays, values = plan.store.load("rewind") or (plan.initial, None)
    training_state.put(plan.model, plan.masked(arrays, masks))
    return Place(**values["place"]) if values else None


def _control(plan, number, name):
    """Train a control of a round, unless it has been."""
    row = plan.rows[number]
    if name in row["controls"]:
        return
    masks, place = plan.masks_of(number), None
    if name == "random_mask":
        masks = random_masks(plan.weights, masks, plan.pruners[0].granularity, plan.seed, number)
        place = _rewind(plan, masks)
    else:
        fresh = reinitialized(plan.model, plan.initial, plan.seed, number)
        training_state.put(plan.model, plan.masked(fresh, masks))
    evaluation, seconds = plan.run(f"{number} {name}", number, masks, place)
    row["controls"][name] = evaluation
    row["seconds"] += seconds
    plan.commit()


def _check_step(rewind_step):
    number = isinstance(rewind_step, int) and not isinstance(rewind_step, bool)
    if not number or rewind_step < 0:
        raise ValueError(
            f"Argument `rewind_step` must be an int >= 0. Received: rewind_step={rewind_step!r}"
        )


def _check_controls(control):
    names = (control,) if isinstance(control, str) else tuple(control or ())
    if any(name not in CONTROLS for name in names):
        raise ValueError(
            f"Argument `control` takes names among {list(CONTROLS)}. Received: control={control!r}"
        )
    return names
