"""Input channels: which inputs of a layer go together, and whether their makers can go too."""

import collections
import dataclasses

import numpy as np

from keras_prune.dependencies import dissect
from keras_prune.dependencies.anatomy import name_of

_UNKNOWN = "the model cannot be followed from layer to layer"


@dataclasses.dataclass(eq=False)
class Channels:
    """The input channels of one kernel.

    Behind a `Flatten` every place of a feature map is an input of its own; those of one
    channel of the map go together.

    Args:
        owners: Int array (inputs,). The channel that each input belongs to.
        required: Bool array (channels,). Channels that can never be cut, such as features of the
            model's inputs.
        reason: Str or `None`. Why channels are required.
    """

    owners: np.ndarray
    required: np.ndarray
    reason: str | None = None

    def members(self, window):
        """Which rows of a kernel matrix belong to a channel.

        Args:
            window: Int. Places in the window.

        Returns:
            Float array (window * inputs, channels) of ones and zeros.
        """
        return np.tile(np.eye(len(self.required))[self.owners], (window, 1))


def find_channels(model, weights, cut_inputs=False):
    """Find the channels of kernels.

    Args:
        model: Built `keras.Model`.
        weights: List of `PrunableWeight` of `Dense`, `Conv1D`, `Conv2D`, `Conv3D` layers.
        cut_inputs: Bool. Whether features of the model's inputs may go. Defaults to `False`.

    Returns:
        List of `Channels`. Where nobody can follow the model, each input is a channel.
    """
    body = _dissected(model, cut_inputs)
    readers = {} if body is None else {id(reader.kernel): reader for reader in body.readers}
    found = []
    for weight in weights:
        reader, inputs = readers.get(id(weight.variable)), weight.shape[-2]
        if reader is not None:
            roots, owners = np.unique(body.units.roots(reader.ids), return_inverse=True)
            reasons = [body.units.protected.get(int(root)) for root in roots]
            required = np.array([reason is not None for reason in reasons])
            found.append(Channels(owners.ravel(), required, next(filter(None, reasons), None)))
        elif body is None:
            found.append(Channels(np.arange(inputs), np.zeros(inputs, bool)))
        else:
            reason = "surgery does not know what it reads"
            found.append(Channels(np.arange(inputs), np.ones(inputs, bool), reason))
    return found


def hindrances(model, weights, cut_inputs=False):
    """What keeps channels in a model that a layer does not read any more.

    Args:
        model: Built `keras.Model`.
        weights: List of `PrunableWeight`.
        cut_inputs: Bool. Whether features of the model's inputs may go. Defaults to `False`.

    Returns:
        List with a sentence or `None` for each weight.
    """
    body = _dissected(model, cut_inputs)
    if body is None:
        return [f"its zero channels stay in the model: {_UNKNOWN}"] * len(weights)
    needs = collections.defaultdict(list)  # from roots to those that read them
    for reader in body.readers:
        read = reader.used.any(axis=1) & reader.varying
        for root in set(body.units.roots(reader.ids[read]).tolist()):
            needs[root].append(reader)
    readers = {id(reader.kernel): reader for reader in body.readers}
    return [_hindrance(body, readers.get(id(weight.variable)), needs) for weight in weights]


def _hindrance(body, reader, needs):
    if reader is None:
        return None
    roots = set(body.units.roots(reader.ids[~reader.used.any(axis=1)]).tolist())
    reasons = collections.Counter()
    for root in sorted(roots):
        others = [other for other in needs[root] if other.key != reader.key]
        if root in body.units.protected:
            reasons[body.units.protected[root]] += 1
        elif others:
            reasons[f"{name_of(others[0].layer)} reads them too"] += 1
    texts = [f"{count} of {len(roots)}: {reason}" for reason, count in reasons.items()]
    return f"zero channels that stay in the model: {'; '.join(texts)}" if texts else None


def _dissected(model, cut_inputs):
    try:
        return dissect(model, cut_inputs=cut_inputs)
    except ValueError:
        return None
