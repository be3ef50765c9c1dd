"""All that a training has learned so far, as arrays: taken, put back, and its random numbers."""

import random
import sys

import numpy as np

from keras_prune import backend
from keras_prune.carried_variables import is_carried


def take(model):
    """Copy the state of a model and of its optimizer.

    Args:
        model: Built, compiled `keras.Model`.

    Returns:
        Dict from str to numpy array: every variable of the model, those of its random number
        generators too, and the optimizer's state as its checkpoints hold it.
    """
    backend.sync_state(model)
    state = {}
    model.optimizer.save_own_variables(state)
    arrays = {f"optimizer/{key}": _copy(value) for key, value in state.items()}
    for index, variable in enumerate(variables_of(model)):
        arrays[f"model/{index}"] = _copy(variable)
    return arrays


def variables_of(model):
    """List of a model's variables, without those that a callback of ours lets it carry."""
    return [variable for variable in model.variables if not is_carried(variable)]


def put(model, arrays):
    """Put a state back that `take` copied. Raises ValueError if it is another model's.

    Args:
        model: Built, compiled `keras.Model`.
        arrays: Dict from str to numpy array.
    """
    put_variables(model, arrays)
    put_optimizer(model.optimizer, arrays)


def put_variables(model, arrays):
    """The half of `put` that concerns the model's variables."""
    state = _part(arrays, "model")
    variables = {str(index): variable for index, variable in enumerate(variables_of(model))}
    _check("variables", state, {key: tuple(v.shape) for key, v in variables.items()})
    for key, variable in variables.items():
        variable.assign(state[key])


def put_optimizer(optimizer, arrays):
    """The half of `put` that concerns the optimizer."""
    state, own = _part(arrays, "optimizer"), {}
    optimizer.save_own_variables(own)
    _check("optimizer", state, {key: np.shape(value) for key, value in own.items()})
    optimizer.load_own_variables(state)


def replaced(model, arrays, variables, values):
    """A state with other values for some variables.

    Args:
        model: `keras.Model` whose state it is.
        arrays: What `take` returned. It stays as it is.
        variables: List of `keras.Variable` of the model.
        values: List of numpy arrays, one for each of `variables`.

    Returns:
        A dict of arrays; the others are those of `arrays`.
    """
    keys = {id(variable): f"model/{index}" for index, variable in enumerate(variables_of(model))}
    named = zip((keys[id(variable)] for variable in variables), values, strict=True)
    return {**arrays, **dict(named)}


def value_in(model, arrays, variable):
    """The array that a state holds for a variable."""
    index = next(i for i, other in enumerate(variables_of(model)) if other is variable)
    return arrays[f"model/{index}"]


def random_state():
    """The state of the global random number generators, as JSON-able values.

    They are Python's, numpy's, and torch's where it is loaded: what shuffles the data of
    `fit()`. TensorFlow draws the order of an epoch from its seed alone.
    """
    version, words, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    state = {"python": [version, list(words), gauss], "numpy": [name, keys.tolist(), *rest]}
    if "torch" in sys.modules:
        state["torch"] = sys.modules["torch"].get_rng_state().tolist()
    return state


def set_random_state(state):
    """Put back what `random_state` returned."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(tuple(state["numpy"]))
    if "torch" in state and "torch" in sys.modules:
        torch = sys.modules["torch"]
        torch.set_rng_state(torch.tensor(state["torch"], dtype=torch.uint8, device="cpu"))


def _copy(value):
    array = np.array(value.numpy() if hasattr(value, "numpy") else value)
    # The small floats of machine learning are no types of numpy's; all of them fit float32.
    return array.astype("float32") if array.dtype.kind == "V" else array


def _part(arrays, name):
    start = f"{name}/"
    return {key[len(start) :]: arrays[key] for key in arrays if key.startswith(start)}


def _check(what, state, shapes):
    found = {key: np.shape(value) for key, value in state.items()}
    if found != shapes:
        raise ValueError(
            f"A stored state does not fit the model's {what}: it is another model's, or the model "
            f"was compiled anew. Expected shapes {list(shapes.values())}. "
            f"Received: {list(found.values())}"
        )
