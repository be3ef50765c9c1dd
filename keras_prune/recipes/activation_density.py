"""Shrinking a network while it trains, to what its activations use of it."""

import functools

from keras_prune.granularity.granularity import check_positive
from keras_prune.recipes.density_rounds import DensityRounds
from keras_prune.recipes.round_checks import check_call
from keras_prune.recipes.saturation import Saturation, rising, shrunk
from keras_prune.recipes.tolerance import Tolerance

_INITIALIZATIONS = ("fresh", "most_active")


def train_with_activation_density(
    model_fn,
    train,
    evaluate=None,
    widths=None,
    rounds=None,
    epochs=None,
    threshold=0.01,
    window=5,
    min_width=1,
    stop_when_rising=True,
    tolerance=None,
    monitor=None,
    mode="auto",
    initialization="fresh",
    filters=None,
    eps=0.0,
    seed=None,
    directory=None,
    resume="epoch",
):
    """Train ever smaller networks, each as large as the activations of the last one call for.

    A network trains until the activation density AE_l of its layers, the fraction of activations
    that are not zero, has settled. Then every layer is shrunk to round(AE_l size_l), the whole
    network is initialized anew and training begins again. Algorithm 1 of [Foldy-Porto et al.,
    2020](https://arxiv.org/abs/2002.02949).

    The last network is trained to the end of `train`: the one

    * that has been shrunk `rounds` times; or
    * that no layer of would get smaller; or
    * whose density rises while it is trained (the slope of its curve is above zero); or
    * before the first whose evaluation is worse than that of the first network by more than
      `tolerance`.

    It goes on from where it was stopped. Which of these comes is seen when a network's densities
    have settled; networks whose training ends earlier are the last.

    With a `directory` nothing is lost when the process is killed, as in `kp.lottery_ticket`.

    Example:

    ```python
    def model_fn(widths):
        model = keras.Sequential([
            keras.Input((784,)),
            keras.layers.Dense(widths.get("first", 300), "relu", name="first"),
            keras.layers.Dense(widths.get("second", 100), "relu", name="second"),
            keras.layers.Dense(10, "softmax", name="classes"),
        ])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def train(model, callbacks, round):
        model.fit(x, y, epochs=20, callbacks=callbacks, verbose=0)

    report = kp.train_with_activation_density(model_fn, train, evaluate=(x_test, y_test))
    print(report)
    report.model
    ```

    Args:
        model_fn: Callable(widths) that returns a built, compiled `keras.Model`. `widths` is a
            dict from layer names to units or filters; for the first network it is empty, unless
            the argument `widths` says otherwise. The layers must have the same names every time.
        train: Callable(model, callbacks, round) that calls `model.fit`, once or more, with
            `callbacks`, those of its own before them, for as long as the last network is to be
            trained. It must not compile the model.
        evaluate: Callable(model) that returns a number or a dict of them, or what
            `model.evaluate` takes: a tuple of arrays (x, y), a data set. Defaults to `None`:
            networks are not evaluated.
        widths: Dict from names of layers to ints: the layers that are shrunk, and the sizes of
            the first network. Defaults to all layers with `units` or `filters` but the outputs,
            and the sizes of `model_fn({})`.
        rounds: Int >= 1. How often to shrink at most. Defaults to the length of the list
            `epochs`, else `5`.
        epochs: Int >= 1, or a list of them, one for every network that is shrunk: shrink after so
            many epochs. Defaults to `None`: when the densities have settled.
        threshold: Float > 0. They have when no layer's density changes by so much from epoch to
            epoch. Defaults to `0.01`.
        window: Int >= 1. For so many epochs. Defaults to `5`.
        min_width: Int >= 1. No layer is made smaller. Defaults to `1`.
        stop_when_rising: Bool. Whether a rising density ends the shrinking. Defaults to `True`.
        tolerance: Float >= 0 or `None`. How much worse than the first network's the evaluation
            may become, both when their densities have settled. Defaults to `None`.
        monitor: Str. The name in the evaluation that `tolerance` looks at. Defaults to the
            first that is not `"loss"`, if there is one.
        mode: Str. `"max"` if more is better, `"min"` if less is, `"auto"`: `"min"` for names
            with "loss" or "error" in them, else `"max"`. Defaults to `"auto"`.
        initialization: Str. `"fresh"`: the weights that `model_fn` draws. `"most_active"`: those
            of the units that were most often not zero, which the paper does not do. Defaults to
            `"fresh"`.
        filters: Regex string, list of them, or callable(layer) -> bool. Layers whose
            activations are counted. Defaults to all layers.
        eps: Float >= 0. Activations up to it count as zero. Defaults to `0.0`.
        seed: Int >= 0 or `None`. Defaults to one drawn from numpy's global generator, which
            a `directory` remembers.
        directory: Path-like. Where the state of the call is kept; made where it is missing.
            Defaults to `None`, in memory.
        resume: Str. `"epoch"` or `"round"`: where a killed round goes on. Defaults to
            `"epoch"`.

    Returns:
        A `kp.DensityReport`: the model, and for every network its sizes, densities, evaluation and
        cost.

    Raises:
        ValueError: If an argument is wrong, `model_fn` does not make the network it is asked for,
            `train` does not use the callbacks or compiles the model, or the directory is
            damaged or of another call.
    """
    check_call(train, seed, resume)
    check_positive("min_width", min_width)
    epochs = tuple(epochs) if isinstance(epochs, list) else epochs
    saturation = Saturation(threshold, window, epochs)
    rounds = _check_rounds(rounds, epochs)
    limit = Tolerance(tolerance, monitor, mode, evaluate)
    _check(model_fn, initialization)
    settings = {
        "recipe": "train_with_activation_density",
        "rounds": rounds,
        "saturation": saturation,
        "min_width": min_width,
        "stop_when_rising": stop_when_rising,
        "tolerance": (tolerance, monitor, mode),
        "initialization": initialization,
        "filters": "callable" if callable(filters) else filters,
        "eps": eps,
    }
    fresh, density = initialization == "fresh", {"filters": filters, "eps": eps}
    arguments = (settings, limit, density, fresh, seed, directory, resume)
    plan = DensityRounds(model_fn, train, evaluate, widths, *arguments)
    while plan.kept is None:
        number = len(plan.rows)
        sizes = _next_sizes(plan, limit, min_width, stop_when_rising)
        if sizes is None:
            break
        reached = functools.partial(saturation.reached, number) if number < rounds else None
        plan.train_next(sizes, reached)
    within = limit.holds(plan.rows[0], plan.rows[-1])
    plan.finish(len(plan.rows) - (1 if within else 2))
    return plan.report()


def _next_sizes(plan, limit, min_width, stop_when_rising):
    """The sizes of the next network, or `None` where the last one has been found."""
    if not plan.rows:
        return plan.first
    last = plan.rows[-1]
    if last["stopped"] is None or not limit.holds(plan.rows[0], last):
        return None
    if stop_when_rising and len(plan.rows) > 1 and rising(last["totals"]):
        return None
    densities = {name: values[-1] for name, values in last["densities"].items()}
    sizes = shrunk(last["widths"], densities, min_width)
    return None if sizes == last["widths"] else sizes


def _check_rounds(rounds, epochs):
    if rounds is not None:
        check_positive("rounds", rounds)
    if not isinstance(epochs, tuple):
        return 5 if rounds is None else rounds
    if rounds not in (None, len(epochs)):
        raise ValueError(
            "A list of epochs has one for every network that is shrunk: leave `rounds` out. "
            f"Received: epochs={list(epochs)}, rounds={rounds}"
        )
    return len(epochs)


def _check(model_fn, initialization):
    if not callable(model_fn):
        raise ValueError(f"`model_fn` must be callable. Received: model_fn={model_fn!r}")
    if initialization not in _INITIALIZATIONS:
        raise ValueError(
            f"Argument `initialization` must be one of {list(_INITIALIZATIONS)}. "
            f"Received: initialization={initialization!r}"
        )
