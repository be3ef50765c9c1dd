"""KSE: the filters of a convolution share windows, the fewer the less an input channel matters."""

import keras
import numpy as np

from keras_prune import backend
from keras_prune.dependencies import graph_to_follow
from keras_prune.layers.clustered_conv import ClusteredConv2D, input_shape_of
from keras_prune.surgery.cheaper_layers import replace_kernels
from keras_prune.surgery.resizing import replace_layers
from keras_prune.surgery.window_entropy import channel_values, kept_windows, windows_of


def cluster_kernels(model, levels=4, shift=0, alpha=1.0, neighbors=5, filters=None, seed=0):
    """Copy a model with `kp.ClusteredConv2D` in the place of its convolutions.

    For each input channel c of a convolution with N filters, the kernel W holds N windows. Its
    sparsity is s_c = sum over n of |W_nc|. With d_n the sum of the distances from a window to its
    nearest `neighbors`, its entropy is e_c = - sum over n of p_n log2 p_n, p_n = d_n / sum d. Both
    are scaled to [0, 1] over the layer's channels, and so is v_c = sqrt(s_c / (1 + alpha e_c)).
    With G = `levels`, channel c keeps

    - no window where floor(G v_c) = 0,
    - all N where ceil(G v_c) = G,
    - ceil(N / 2^(G - ceil(G v_c) + `shift`)) otherwise, the centroids that k-means finds.

    Equal windows have an entropy of 0, and a layer whose channels all weigh the same keeps them
    all. From [Li et al., 2019](https://arxiv.org/abs/1812.04368), who retrain afterwards: the
    centroids are trained as any other weight. The saving is one of the file's bytes, and of the
    multiply-accumulates on hardware that knows what to do with the index; a stock `Conv2D`
    multiplies as before.

    Example:

    ```python
    small, report = kp.cluster_kernels(model)
    small.compile("adam", "sparse_categorical_crossentropy")
    small.fit(x, y)
    stock = kp.expand_clusters(small)
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.
        levels: Int of at least 2. How many sizes there are. Defaults to `4`.
        shift: Int >= 0. Halvings more of what is between all and nothing. Defaults to `0`.
        alpha: Float >= 0. Weight of the entropy. Defaults to `1.0`.
        neighbors: Int of at least 1. Windows that a distance is taken to. Defaults to `5`.
        filters: Regex string, list of them, or callable(layer) -> bool. Defaults to all
            layers.
        seed: Int. Seed of k-means. Defaults to `0`.

    Returns:
        Tuple of a `keras.Model` that is not compiled, and a `kp.ReplacementReport`. `Conv2D` is
        replaced where that leaves fewer weights (the index, of small ints, is not counted).

    Raises:
        ValueError: If an argument is wrong or no layer can be replaced.
        ImportError: If scikit-learn is not installed.
    """
    for name, value, least in (
        ("levels", levels, 2),
        ("shift", shift, 0),
        ("neighbors", neighbors, 1),
    ):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(
                f"Argument `{name}` must be an int of at least {least}. Received: {name}={value!r}"
            )
    number = isinstance(alpha, (int, float)) and not isinstance(alpha, bool)
    if not number or not 0.0 <= alpha < np.inf:
        raise ValueError(f"Argument `alpha` must be a number >= 0. Received: alpha={alpha!r}")
    means = _k_means()

    def make(layer, kernel):
        if set(layer.kernel_size) == {1}:
            return "its windows are single weights"
        values = channel_values(kernel, alpha, neighbors)
        counts = kept_windows(values, kernel.shape[-1], levels, shift)
        return _clustered(layer, kernel, counts, seed, means)

    return replace_kernels(model, "Clusters of windows", filters, (keras.layers.Conv2D,), make)


def expand_clusters(model):
    """Copy a model with stock `Conv2D` in the place of every `kp.ClusteredConv2D`.

    The outputs stay the same. The copy saves, trains and runs as any other model. `kp.strip` and
    the exports do it of themselves.

    Example:

    ```python
    kp.expand_clusters(small).save("model.keras")
    ```

    Args:
        model: Built `keras.Model`. It stays as it is.

    Returns:
        A `keras.Model` that is not compiled.

    Raises:
        ValueError: If the model has no `kp.ClusteredConv2D`.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"Expected a `keras.Model`. Received: model={model}")
    backend.sync_state(model)
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, ClusteredConv2D)]
    if not layers:
        raise ValueError(
            f"The model has no `ClusteredConv2D` to expand. Received: model={model.name}"
        )
    return replace_layers(graph_to_follow(model), {layer: layer.stock() for layer in layers})


def _clustered(layer, kernel, counts, seed, means):
    """The layer with shared windows, what it is in words, and its kernel."""
    pairs = zip(windows_of(kernel), counts, strict=True)
    clusters = [_clusters(windows, count, seed, means) for windows, count in pairs]
    sizes = [len(centroids) for centroids, _ in clusters]
    table = np.concatenate([centroids for centroids, _ in clusters])
    firsts = np.cumsum([0, *sizes[:-1]])
    # Behind the last centroid stands a window of zeros, for channels without any.
    places = [
        first + index if size else np.full(len(index), len(table))
        for first, size, (_, index) in zip(firsts, sizes, clusters, strict=True)
    ]
    index = np.stack(places)
    new = ClusteredConv2D.from_config({**layer.get_config(), "counts": sizes})
    new.build(input_shape_of(layer))
    new.centroids.assign(table.reshape(new.centroids.shape))
    new.index.assign(index.astype("int32"))
    if layer.use_bias:
        new.bias.assign(layer.bias.value)
    words = f"{len(table):,} of {kernel.shape[-2] * kernel.shape[-1]:,} windows"
    same = np.concatenate([table, np.zeros_like(table[:1])])[index]  # (channels, filters, weights)
    return [new], words, same.transpose(2, 0, 1).reshape(kernel.shape)


def _clusters(windows, count, seed, means):
    """Centroids, as many as asked for or as there are different windows, and who takes which."""
    if count == 0:
        return windows[:0], np.zeros(len(windows), int)
    different, index = np.unique(windows, axis=0, return_inverse=True)
    if len(different) <= count:
        return different, index.reshape(-1)
    found = means(n_clusters=count, n_init=10, random_state=seed).fit(windows)
    return found.cluster_centers_, found.labels_


def _k_means():
    try:
        from sklearn.cluster import KMeans
    except ImportError as error:
        raise ImportError(
            "Clusters of windows are found by scikit-learn, which is not installed. "
            'Install it with `pip install "keras-prune[search]"`.'
        ) from error
    return KMeans
