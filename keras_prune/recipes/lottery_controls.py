"""What a winning ticket must beat: its masks without its weights, its weights without its masks."""

import keras
import numpy as np

from keras_prune.recipes import training_state
from keras_prune.surgery.compiled_copy import uncompiled

CONTROLS = ("random_reinit", "random_mask")


def random_masks(weights, masks, granularity, seed, number):
    """Draw masks at random that keep as many weights of every layer.

    Args:
        weights: List of `PrunableWeight`.
        masks: List of bool arrays of their shapes, False = pruned.
        granularity: `Granularity`. The shape that is drawn.
        seed: Int >= 0.
        number: Int. The round; every round draws anew.

    Returns:
        List of bool arrays. A mask that is one value throughout stays as it is.
    """
    found = []
    for index, (weight, keep) in enumerate(zip(weights, masks, strict=True)):
        if keep.all() or not keep.any():
            found.append(keep)
            continue
        draw = np.random.default_rng([seed, number, index]).random(weight.shape)
        view = weight.to_view(draw, granularity.full_view)
        sparsity = 1.0 - np.count_nonzero(keep) / keep.size
        chosen = granularity.of(weight).select(view, np.ones(view.shape, bool), sparsity)
        found.append(weight.from_view(chosen))
    return found


def reinitialized(model, initial, seed, number):
    """The initial state with new draws from the initializers of all trainable variables.

    Args:
        model: `keras.Model` that `keras.models.clone_model` can copy.
        initial: Dict of arrays, what `training_state.take` returned.
        seed: Int >= 0.
        number: Int. The round; every round draws anew.

    Returns:
        A dict of arrays.

    Raises:
        ValueError: If the model cannot be copied, or its initializers have seeds of their own
            and would draw the same weights again.
    """
    # Not the seed itself: the model may have been initialized with it.
    keras.utils.set_random_seed(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
    copy, variables, values = _copy(model), model.trainable_variables, []
    for old, new in zip(variables, copy.trainable_variables, strict=True):
        before = training_state.value_in(model, initial, old)
        values.append(np.array(keras.ops.convert_to_numpy(new)).astype(before.dtype))
        if np.array_equal(values[-1], before) and np.ptp(before) > 0.0:
            raise ValueError(
                'control="random_reinit" needs initializers without a seed of their own: these '
                f"weights would be drawn again as they are. Received: {old.path}"
            )
    return training_state.replaced(model, initial, variables, values)


def _copy(model):
    try:
        with uncompiled(model):
            copy = keras.models.clone_model(model)
        if not copy.built:
            copy.build_from_config(model.get_build_config())
        same = [v.shape for v in copy.variables] == [v.shape for v in model.variables]
    except Exception as error:  # whatever a class of the user's own may raise
        raise ValueError(_cannot_copy(model)) from error
    if not same:
        raise ValueError(_cannot_copy(model))
    return copy


def _cannot_copy(model):
    return (
        'control="random_reinit" copies the model with `keras.models.clone_model` to initialize '
        "it anew, and that does not copy this one. A model class of one's own needs `get_config`. "
        f"Received: model={model.name}"
    )
