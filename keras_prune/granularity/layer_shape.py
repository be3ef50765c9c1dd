"""The shape that a device's kernels run fastest, asked of one layer."""

import keras

from keras_prune.granularity.auto import Auto
from keras_prune.registry import check_sparsity
from keras_prune.weights import kernels_of


def granularity_for(target, layer, sparsity=0.8, quantize=None, margin=0.15):
    """Name the granularity that a device runs a layer fastest with.

    The rule of `kp.Auto`, for one layer. `granularity="auto"` applies it to every layer of a model.

    Example:

    ```python
    dense = keras.layers.Dense(1024)
    dense.build((None, 1024))
    kp.granularity_for("x86-avx512", dense, sparsity=0.9, quantize="int8")
    ```

    Args:
        target: Str, see `kp.Auto`.
        layer: Built `keras.layers.Layer` with one kernel, or with several that take one shape;
            the depthwise half of a separable convolution does not count.
        sparsity: Float in [0, 1). The sparsity that the layer ends with. Defaults to `0.8`.
        quantize: `None` or `"int8"`, see `kp.Auto`. Defaults to `None`.
        margin: Float, see `kp.Auto`. Defaults to `0.15`.

    Returns:
        A `kp.Granularity`; `kp.Unstructured()` where no shape is worth its loss of accuracy.

    Raises:
        ValueError: If the target is unknown, or the layer is not built, has no kernel, or has
            several that take different shapes.
    """
    auto = Auto(target, quantize, margin)
    sparsity = check_sparsity("sparsity", sparsity)
    if not isinstance(layer, keras.layers.Layer) or not layer.variables:
        raise ValueError(
            f"`granularity_for` takes a `keras.layers.Layer` that is built. Received: layer={layer}"
        )
    weights = kernels_of(layer)
    found = {weight.path: auto.choose(weight, sparsity, windows=True)[0] for weight in weights}
    if not found:
        raise ValueError(
            f"The layer has no kernel that can be pruned. Received: layer={layer.name} of type "
            f"{type(layer).__name__}"
        )
    first, *others = found.values()
    if any(other != first for other in others):
        raise ValueError(
            "The kernels of this layer take different shapes: ask for each of its sublayers. "
            f"Received: layer={layer.name} with {found}"
        )
    return first
