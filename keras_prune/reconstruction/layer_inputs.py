"""What a layer multiplies its kernel with: rows of inputs, or patches of them.

With the kernel as a matrix W (rows, outputs) and a row of inputs x, the layer computes
y = x W + b before its activation. A bias is one more row of W, of an input that is always 1.
"""

import contextlib

import keras
import numpy as np

from keras_prune import backend, tracing
from keras_prune.windows import layer_windows

_CHUNK = 1 << 22  # values of a patch matrix that are in memory at once (32 MB)


def unsupported(layer):
    """Why a layer's inputs cannot be seen as rows, or `None`."""
    layers = keras.layers
    if isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)):
        return "reconstruction does not cover depthwise convolutions"
    if isinstance(layer, (layers.Conv1D, layers.Conv2D, layers.Conv3D)):
        if layer.groups > 1:
            return "reconstruction does not cover grouped convolutions"
        return None
    if isinstance(layer, layers.Dense):
        return None
    return f"reconstruction does not cover {type(layer).__name__} layers"


def input_rows(layer, inputs):
    """The rows that a layer multiplies its kernel matrix with.

    Args:
        layer: `keras.layers.Dense` or `Conv1D`, `Conv2D`, `Conv3D` without groups.
        inputs: Float array, the layer's input (batch, ...).

    Yields:
        Float64 arrays (samples, rows of the kernel matrix), the columns in the order of
        `kernel.reshape(-1, outputs)`, and a last column of ones where there is a bias.
    """
    if isinstance(layer, keras.layers.Dense):
        yield _augmented(inputs.reshape(-1, inputs.shape[-1]), layer)
        return
    windows = layer_windows(layer, inputs)  # (batch, *positions, inputs, *window)
    rank = layer.rank
    order = (*range(rank + 1), *range(rank + 2, 2 * rank + 2), rank + 1)
    windows = windows.transpose(order)  # (batch, *positions, *window, inputs)
    columns = int(np.prod(windows.shape[rank + 1 :]))
    step = max(1, _CHUNK // (columns * int(np.prod(windows.shape[1 : rank + 1]))))
    for start in range(0, len(windows), step):
        yield _augmented(windows[start : start + step].reshape(-1, columns), layer)


def drawn_rows(layer, inputs, count, random):
    """The rows at some places of each sample, drawn at random.

    Args:
        layer: As `input_rows` takes it.
        inputs: Float array, the layer's input (batch, ...).
        count: Int. Places in a sample; all where there are no more.
        random: `numpy.random.Generator`.

    Returns:
        Float64 array (batch * places, rows of the kernel matrix), without a column of ones.
    """
    if isinstance(layer, keras.layers.Dense):
        windows, rank = inputs.reshape(len(inputs), -1, inputs.shape[-1]), 1
    else:
        windows, rank = layer_windows(layer, inputs), layer.rank
        windows = np.moveaxis(windows, rank + 1, -1)  # (batch, *positions, *window, inputs)
    sizes = windows.shape[1 : rank + 1]
    total = int(np.prod(sizes))
    if total <= count:
        places = np.broadcast_to(np.arange(total), (len(windows), total))
    else:
        places = random.integers(0, total, (len(windows), count))
    rows = windows[(np.arange(len(windows))[:, None], *np.unravel_index(places, sizes))]
    columns = int(np.prod(windows.shape[rank + 1 :]))
    return rows.reshape(places.size, columns).astype(np.float64)


def draw_inputs(model, layers, batches, count, seed, use=lambda index, rows: rows):
    """Rows of the inputs of some layers, from a few places of every sample.

    A layer gets the same places at every call of this function with the same seed, whichever
    layers it is called with: `seed` and `layers` name them together.

    Args:
        model: Built `keras.Model`.
        layers: Dict from ints, which belong to the seed, to supported layers of the model.
        batches: List of pairs (x, y).
        count: Int. Places in a sample.
        seed: Int >= 0.
        use: Callable(index, rows) -> array, what to keep of the rows of a call. Defaults to the
            rows.

    Returns:
        Dict from the ints to float64 arrays, the rows of all calls; `None` for a layer that is
        not called.

    Raises:
        ValueError: If a layer gets inputs that are not finite.
    """
    found = {index: [] for index in layers}

    def observer(index, layer):
        random = np.random.default_rng([seed, index])

        def observe(inputs, _):
            rows = drawn_rows(layer, backend.to_numpy(inputs), count, random)
            if not np.isfinite(rows).all():
                raise ValueError(
                    f"Layer {layer.name} gets inputs that are not finite. Received: data"
                )
            found[index].append(use(index, rows))

        return observe

    with contextlib.ExitStack() as stack:
        for index, layer in layers.items():
            stack.enter_context(tracing.observed(layer, "call", observer(index, layer)))
        for x, _ in batches:
            model(x, training=False)
    return {index: np.concatenate(rows) if rows else None for index, rows in found.items()}


def layer_hessians(model, layers, batches):
    """Second moments of the inputs of some layers, H = X^T X / N, in one pass over the data.

    Memory: n^2 float64 values for a layer with n inputs (a bias counts as one), 5 MB for
    n = 785, beside one batch.

    Args:
        model: Built `keras.Model`.
        layers: List of supported layers of the model.
        batches: List of pairs (x, y).

    Returns:
        List of float64 arrays (n, n), symmetric; `None` for a layer that is not called.

    Raises:
        ValueError: If a layer gets inputs that are not finite.
    """
    sums, counts = [None] * len(layers), [0] * len(layers)

    def observer(index):
        def observe(inputs, _):
            for rows in input_rows(layers[index], backend.to_numpy(inputs)):
                gram = rows.T @ rows
                sums[index] = gram if counts[index] == 0 else sums[index] + gram
                counts[index] += len(rows)

        return observe

    with contextlib.ExitStack() as stack:
        for index, layer in enumerate(layers):
            stack.enter_context(tracing.observed(layer, "call", observer(index)))
        for x, _ in batches:
            model(x, training=False)
    for layer, gram in zip(layers, sums, strict=True):
        if gram is not None and not np.isfinite(gram).all():
            raise ValueError(f"Layer {layer.name} gets inputs that are not finite. Received: data")
    return [None if gram is None else gram / n for gram, n in zip(sums, counts, strict=True)]


def _augmented(rows, layer):
    rows = rows.astype(np.float64)
    return np.hstack([rows, np.ones((len(rows), 1))]) if layer.use_bias else rows
