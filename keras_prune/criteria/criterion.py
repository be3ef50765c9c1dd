"""What a criterion is, and how one is found by its name."""

import numpy as np

from keras_prune.layer_views import LazyScores
from keras_prune.registry import Configurable, Registry

CRITERIA = Registry("criterion")


class Criterion(Configurable):
    """Base class: scores single weights. Higher = keep.

    Subclasses write `score`, or `scores` where the kernels depend on each other. Those that
    look at data extend `DataCriterion`.

    Example:

    ```python
    class Squared(kp.criteria.Criterion):
        def score(self, weight):
            return weight.numpy() ** 2

    kp.prune(model, 0.8, criterion=Squared())
    ```

    Attributes:
        needs_data: Bool. Whether the criterion looks at data.
        accumulates: Bool. Whether the criterion scores by sums over the steps of a training:
            then `term(value, gradient)` gives what each step adds, as tensor of the weight's
            shape, and `scores` gets the `GradientSums` for its probe.
        needs_units: Bool. Whether `scores` wants to know the units that live or die together:
            `units=`, with an int array a weight that numbers the unit of each entry.
        needs_alive: Bool. Whether `scores` wants to know which weights are left: `alive=`, with
            a bool array a weight.
        scores_outputs: Bool. Whether all weights of an output have one score. Shapes that
            choose among inputs are refused then.
        repeatable: Bool. True if `score` is cheap and gives the same whenever it is called: it
            is called again then, where the scores of all kernels would take much memory.
    """

    needs_data = False
    accumulates = False
    needs_units = False
    needs_alive = False
    scores_outputs = False
    repeatable = False

    def score(self, weight):
        """Score every weight of one kernel.

        Args:
            weight: `PrunableWeight`.

        Returns:
            Float array of the shape of the variable. The scores of weights that are pruned
            already do not matter.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `score`.")

    def scores(self, weights, probe=None):
        """Score the weights of all kernels.

        Args:
            weights: List of `PrunableWeight`.
            probe: What `probe` returned.

        Returns:
            Sequence of float arrays of the shapes of the variables.
        """
        del probe
        scores = LazyScores(self.score, weights)
        return scores if self.repeatable else list(scores)

    def probe(self, model, data):
        """What `scores` asks about a model and data; `None` where it asks nothing."""
        del model, data
        return None

    def skip(self, model, weights, data):
        """Why some kernels cannot be scored; reports say so, and the others are pruned.

        Args:
            model: Built `keras.Model`.
            weights: List of `PrunableWeight`.
            data: What the user passed as `data`.

        Returns:
            Dict from `id(weight)` to str, for the weights to leave alone. Empty by default.
        """
        del model, weights, data
        return {}

    def check_data(self, data):
        """Refuse data that the criterion does not look at."""
        if data is not None:
            raise ValueError(
                f"Criterion {self!r} looks at the weights alone; leave `data` out. "
                f"Received: data={type(data).__name__}"
            )

    def with_seed(self, seed):
        """The criterion with its random draws fixed by `seed`; itself where it draws nothing."""
        del seed
        return self


CRITERIA.base = Criterion


def spread(weight, values):
    """Give all weights of an output the score of that output.

    Pooled over whole outputs that is the score again, whatever their size.

    Args:
        weight: `PrunableWeight`.
        values: Float array (outputs,).

    Returns:
        Float32 array of the shape of the variable.
    """
    values = np.asarray(values, np.float32).reshape(-1, 1, 1)
    return weight.from_view(np.broadcast_to(values, weight.view_shape))
