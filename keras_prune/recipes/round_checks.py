"""What a training in rounds refuses before it begins."""

import inspect

from keras_prune.weights import find_weights


def check_same(asked, stored):
    """Refuse to go on with a call that had other arguments.

    Args:
        asked: Dict from str to objects.
        stored: Dict from the same names to the `repr` of what they were.
    """
    wrong = [key for key in asked if stored.get(key) != repr(asked[key])]
    if wrong:
        raise ValueError(
            "`directory` holds a training in rounds with other arguments: "
            + ", ".join(f"{key}={stored.get(key)}" for key in wrong)
            + ". Received: "
            + ", ".join(f"{key}={asked[key]!r}" for key in wrong)
        )


def check_arguments(model, train, seed, resume):
    """Refuse what no training in rounds can work with."""
    check_model(model)
    check_call(train, seed, resume)


def check_model(model):
    """Refuse a model that has no weights or no optimizer."""
    find_weights(model)
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            f"The model must be compiled with an optimizer. Received: model={model.name}"
        )


def check_call(train, seed, resume):
    """Refuse wrong arguments that all trainings in rounds share."""
    if seed is not None and (not isinstance(seed, int) or not 0 <= seed < 2**32):
        raise ValueError(
            f"Argument `seed` must be an int >= 0, below 2 ** 32, or None. Received: seed={seed!r}"
        )
    if not callable(train):
        raise ValueError(f"`train` must be callable. Received: train={train!r}")
    try:
        inspect.signature(train).bind(None, [], 0)
    except TypeError as error:
        raise ValueError(
            "`train` must take three arguments: the model, the callbacks for `fit`, and the "
            f"number of the round ({error}). Received: train={train!r}"
        ) from error
    if resume not in ("epoch", "round"):
        raise ValueError(
            f'Argument `resume` must be "epoch" or "round". Received: resume={resume!r}'
        )


def make_directory(path):
    """Make the folder of a training in rounds, unless it is there.

    Args:
        path: `pathlib.Path`.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(
            f"`directory` must name a folder. Received: directory={str(path)!r}"
        ) from error
