"""Copies of models, not compiled, or compiled as the model was."""

import contextlib

import keras


@contextlib.contextmanager
def uncompiled(model):
    """Context in which Keras copies a model without compiling the copy.

    `keras.models.clone_model` would, and stumble over losses that are not registered with Keras.

    Args:
        model: `keras.Model`.
    """
    models = [part for part in model._flatten_layers() if isinstance(part, keras.Model)]
    before = [part.compiled for part in models]
    try:
        for part in models:
            part.compiled = False
        yield
    finally:
        for part, compiled in zip(models, before, strict=True):
            part.compiled = compiled


def compile_like(copy, model, optimizer=None):
    """Compile a copy of a model as the model was, with what was given to its `compile`.

    Losses and functions are shared: they hold no state. Optimizers and metrics are made anew from
    their configurations. Thus nothing needs to be registered with Keras, not even a lambda, which
    `compile_from_config` would ask for.

    Args:
        copy: `keras.Model` that is not compiled.
        model: Compiled `keras.Model`.
        optimizer: What `compile` takes as its optimizer. Defaults to one like the model's.

    Raises:
        ValueError: If an optimizer or a metric cannot be made from its configuration.
    """
    arguments = compile_arguments(model)
    if arguments is None or type(copy).compile is not keras.Model.compile:
        # A `compile` of the user's own: their `compile_from_config` knows its arguments.
        config = model.get_compile_config()
        if optimizer is not None:
            found = keras.optimizers.get(optimizer)
            config = {**config, "optimizer": keras.saving.serialize_keras_object(found)}
        copy.compile_from_config(config)
        return
    if optimizer is not None:
        arguments["optimizer"] = _own(keras.optimizers.get(optimizer))
    copy.compile(**arguments)
    if copy.built and copy.optimizer is not None:
        copy.optimizer.build(copy.trainable_variables)


def compile_arguments(model):
    """What was given to a model's `compile`, for another one.

    Args:
        model: `keras.Model`.

    Returns:
        Dict of keyword arguments, or `None` where Keras does not keep them.

    Raises:
        ValueError: If an optimizer or a metric cannot be made from its configuration.
    """
    given = getattr(getattr(model, "_compile_config", None), "config", None)
    if not isinstance(given, dict):
        return None
    return {name: keras.tree.map_structure(_own, value) for name, value in given.items()}


def _own(value):
    """A value for another `compile`: what holds state is made anew."""
    if not isinstance(value, (keras.Metric, keras.Optimizer)):
        return value
    parts = (type(value), type(getattr(value, "_learning_rate", None)))
    known = {part.__name__: part for part in parts}
    # A metric may wrap a function that nobody has registered.
    function = getattr(value, "_fn", None)
    if callable(function) and hasattr(function, "__name__"):
        known[function.__name__] = function
    try:
        with keras.saving.CustomObjectScope(known):
            return type(value).from_config(value.get_config())
    except Exception as error:
        raise ValueError(
            "A copy of the model cannot be compiled as the model was, because an optimizer or a "
            f"metric cannot be made from its configuration ({error}). Received: {value!r}"
        ) from error
