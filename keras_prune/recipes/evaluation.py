"""What a user's `evaluate` says of a model."""


def evaluation_of(model, evaluate):
    """Evaluate a model.

    Args:
        model: Compiled `keras.Model`.
        evaluate: Callable(model) that returns a number or a dict of them; a tuple of arrays
            (x, y) or (x, y, sample_weight); whatever else `model.evaluate` takes for `x`; or
            `None`.

    Returns:
        Dict from str to float. A single number is called "evaluation"; empty for `None`.
    """
    if evaluate is None:
        return {}
    if callable(evaluate):
        found = evaluate(model)
    elif isinstance(evaluate, tuple):
        arguments = dict(zip(("x", "y", "sample_weight"), evaluate, strict=False))
        found = model.evaluate(**arguments, verbose=0, return_dict=True)
    else:
        found = model.evaluate(evaluate, verbose=0, return_dict=True)
    found = found if isinstance(found, dict) else {"evaluation": found}
    return {str(name): float(value) for name, value in found.items()}
