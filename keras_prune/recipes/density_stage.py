"""The training of one network of `train_with_activation_density`, from its beginning or a place."""

import dataclasses

import keras

from keras_prune.callbacks.activation_density import ActivationDensity
from keras_prune.recipes import training_state
from keras_prune.recipes.density_callback import DensityRoundCallback
from keras_prune.recipes.evaluation import evaluation_of
from keras_prune.recipes.round_callback import Place

_NOTHING = {"densities": {}, "totals": []}


def train_stage(plan, stage, number, names, saturated, place=None, history=_NOTHING):
    """Train the current network of a call, and evaluate it.

    Args:
        plan: `DensityRounds`.
        stage: Str. Names this training among those of the whole call.
        number: Int. The round.
        names: List of str. The layers whose densities are noted.
        saturated: Callable(list of lists) -> bool, or `None` to train to the end.
        place: `Place` to go on at, from `plan.state`, or `None`.
        history: Dict with the keys "densities" and "totals" of the epochs before `place`.

    Returns:
        Tuple of a JSON-able dict, the row of the round, and the `ActivationDensity`.
    """
    state = begin = None
    record = plan.store.load("backup")
    if record is not None and record[1]["stage"] == stage:
        state, place = record[0], Place(**record[1]["place"])
        history, begin = record[1]["history"], record[1]["begin"]
    elif place is not None:
        state = plan.state
    counted = ActivationDensity(**plan.density)
    watch = DensityRoundCallback(counted, names, saturated, history, place, state, begin)
    watch.backup = _backup_of(plan, stage, watch)
    watch.set_model(plan.model)
    _train(plan, number, watch, [counted, watch])
    stopped = None if watch.stopped is None else dataclasses.asdict(watch.stopped)
    row = {**watch.history, "stopped": stopped, "seconds": watch.seconds}
    row["evaluation"] = evaluation_of(plan.model, plan.evaluate)
    return row, counted


def _backup_of(plan, stage, watch):
    if plan.store.directory is None or plan.resume == "round":
        return None

    def backup(place, begin):
        place = dataclasses.asdict(place)
        values = {"stage": stage, "place": place, "history": watch.history, "begin": begin}
        plan.store.save("backup", training_state.take(plan.model), values)

    return backup


def _train(plan, number, watch, callbacks):
    optimizer = plan.model.optimizer
    keras.utils.set_random_seed(plan.seed)
    if number and watch.place is None:
        # The first `fit` of a process draws numbers before its first epoch, others do not.
        watch.place = Place(random=plan.random or training_state.random_state())
    try:
        plan.train(plan.model, callbacks, number)
    finally:
        watch.release()
    if not watch.totals:
        raise ValueError(
            "`train` must hand its argument `callbacks` to `model.fit`: they count the "
            f"activations. Received: no epoch of fit in round {number}"
        )
    if plan.model.optimizer is not optimizer:
        raise ValueError(
            "`train` must not compile the model, `model_fn` does. "
            f"Received: another optimizer after round {number}"
        )
    if number == 0 and plan.random is None:  # the kept network may be trained on
        plan.random = watch.first_random
