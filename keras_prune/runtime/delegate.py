"""Loads the delegate that runs sparse layers inside a TFLite interpreter."""

import functools
import importlib
import importlib.util

from keras_prune.runtime import native

# The module to import, and where in it the loader of delegates is.
_RUNTIMES = {
    "litert": ("ai_edge_litert.interpreter", "load_delegate"),
    "tensorflow": ("tensorflow", "lite.experimental.load_delegate"),
    "tflite_runtime": ("tflite_runtime.interpreter", "load_delegate"),
}


def load_delegate(*, runtime=None, **options):
    """Loads the delegate with the sparse kernels for a TFLite interpreter.

    The delegate takes the `FULLY_CONNECTED` and `CONV_2D` nodes, sparse or dense, float32 and
    int8, and the int8 `DEPTHWISE_CONV_2D` nodes that it expects to run faster than the
    interpreter itself. All others stay where they are.

    Example:

    ```python
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(
        model_path="model.tflite",
        experimental_delegates=[keras_prune.load_delegate(num_threads=2)],
    )
    ```

    Args:
        runtime: String, the package whose `Interpreter` gets the delegate: `"litert"`
            (`ai_edge_litert`), `"tensorflow"` (`tf.lite`) or `"tflite_runtime"`. Defaults to the
            first of these that is installed. An interpreter takes delegates of its own package
            only.
        **options: Options of the delegate:
            `num_threads`: Integer from 1 to 64. Defaults to the interpreter's `num_threads`.
            `min_sparsity`: Float from 0 to 1. Takes every supported node with at least this
            share of zero weights, whether that is faster or not. Defaults to taking the nodes
            that are expected to be faster.
            `verbose`: Boolean, whether to print one line for each node to stderr: taken or not,
            why, and by which kernel. Defaults to `False`.
            `chains`: String, `"auto"`, `"off"` or `"always"`: whether neighbouring layers hand
            channels-planar activations to each other where that is expected to be faster, never,
            or wherever they can. Defaults to `"auto"`.
            `tuning`: Boolean, whether to time the likely kernels of each layer when a model is
            loaded, a millisecond each, instead of going by what they are expected to take.
            Defaults to `False`, or to `True` with `tuning_cache`.
            `tuning_cache`: String, a file that keeps the results for later; made if it is not
            there. Processes may share it.

    Returns:
        A delegate for `Interpreter(..., experimental_delegates=[...])`.

    Raises:
        ValueError: If an option is unknown or its value is bad.
        ImportError: If no such package is installed, or the library has not been built.
    """
    native.library()
    load = _loader(runtime)
    texts = {name: option_text(value) for name, value in options.items()}
    try:
        return load(str(native.library_path()), texts)
    except ValueError as error:
        # The interpreters put a line of their own before the delegate's sentence.
        raise ValueError(str(error).strip().splitlines()[-1]) from None


def _loader(runtime):
    if runtime is not None and runtime not in _RUNTIMES:
        raise ValueError(
            "Invalid value for argument `runtime`. Expected one of "
            f"{{{', '.join(map(repr, _RUNTIMES))}}}. Received: runtime={runtime!r}"
        )
    for name in _RUNTIMES if runtime is None else [runtime]:
        module, path = _RUNTIMES[name]
        if importlib.util.find_spec(module.split(".")[0]) is not None:
            return functools.reduce(getattr, path.split("."), importlib.import_module(module))
    raise ImportError(
        "`load_delegate()` needs a TFLite interpreter. Install one with "
        f'`pip install "keras-prune[tflite]"`. Received: runtime={runtime!r}'
    )


def option_text(value):
    """Return the value of an option as the delegate reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
