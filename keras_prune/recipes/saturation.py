"""When a network has been trained enough to be shrunk, and to what."""

import dataclasses
import math

import numpy as np

from keras_prune.granularity.granularity import check_positive


@dataclasses.dataclass(frozen=True)
class Saturation:
    """Says when the activation densities of a network in training have settled.

    They have when no layer's density has changed by `threshold` or more from one epoch to the
    next for `window` epochs: max_l |AE_l(e) - AE_l(e - 1)| < threshold. Or after a fixed number
    of epochs.

    Args:
        threshold: Float > 0. Defaults to `0.01`.
        window: Int >= 1. Defaults to `5`.
        epochs: Int >= 1, or a tuple of them, one a network; or `None`. Fixed numbers of epochs.
            Defaults to `None`: by threshold and window.
    """

    threshold: float = 0.01
    window: int = 5
    epochs: int | tuple | None = None

    def __post_init__(self):
        number = isinstance(self.threshold, (int, float)) and not isinstance(self.threshold, bool)
        if not number or not self.threshold > 0.0:
            raise ValueError(
                f"Argument `threshold` must be a number > 0. Received: threshold={self.threshold!r}"
            )
        check_positive("window", self.window)
        if isinstance(self.epochs, (list, tuple)):
            for count in self.epochs:
                check_positive("epochs", count)
            if not self.epochs:
                raise ValueError(
                    "Argument `epochs` must be an int or have one int for every network that is "
                    f"shrunk. Received: epochs={self.epochs}"
                )
        elif self.epochs is not None:
            check_positive("epochs", self.epochs)

    def reached(self, number, densities):
        """True if a network is to be shrunk now.

        Args:
            number: Int. The network; 0 is the first.
            densities: List of lists: the densities of each layer, one for every epoch.
        """
        if self.epochs is not None:
            fixed = isinstance(self.epochs, int)
            return len(densities[0]) >= (self.epochs if fixed else self.epochs[number])
        if len(densities[0]) <= self.window:
            return False
        last = np.asarray(densities, np.float64)[:, -self.window - 1 :]
        return bool(np.abs(np.diff(last)).max() < self.threshold)


def rising(densities):
    """True if a curve rises: the slope of the line through its points is above zero.

    Args:
        densities: Sequence of floats, one an epoch.
    """
    values = np.asarray(densities, np.float64)
    times = np.arange(values.size) - (values.size - 1) / 2
    return bool(times @ values > 1e-12)


def shrunk(widths, densities, min_width=1):
    """The sizes of the next network: round(AE_l size_l), halves up.

    Example:

    ```python
    shrunk({"a": 64, "b": 64}, {"a": 0.5, "b": 0.25})  # {"a": 32, "b": 16}
    ```

    Args:
        widths: Dict from layer names to ints, units or filters.
        densities: Dict from the same names to floats in [0, 1].
        min_width: Int >= 1. No layer gets smaller by this, nor larger. Defaults to `1`.

    Returns:
        A dict from the names to ints.
    """
    return {
        name: min(width, max(min_width, math.floor(densities[name] * width + 0.5)))
        for name, width in widths.items()
    }
