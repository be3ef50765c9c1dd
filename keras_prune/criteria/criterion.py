"""What a criterion is, and how one is found by its name."""

from keras_prune.registry import Configurable, Registry

CRITERIA = Registry("criterion")


class Criterion(Configurable):
    """Base class: scores single weights. Higher = keep.

    Example:

    ```python
    class Squared(kp.criteria.Criterion):
        def score(self, weight):
            return weight.numpy() ** 2

    kp.prune(model, 0.8, criterion=Squared())
    ```
    """

    def score(self, weight):
        """Score every weight of one kernel.

        Args:
            weight: `PrunableWeight`.

        Returns:
            Float array of the shape of the variable. The scores of weights that are pruned
            already do not matter.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `score`.")

    def with_seed(self, seed):
        """The criterion with its random draws fixed by `seed`; itself where it draws nothing."""
        del seed
        return self


CRITERIA.base = Criterion
