"""Batches by number, so that an interrupted training draws the same ones again."""

import numpy as np

from keras_prune.batches import batches_of, check_data, draw_batch


class DrawnBatches:
    """The i-th batch of data, for any i.

    Args:
        data: Tuple of arrays: each batch is drawn from it at random, without an example twice.
            Or an iterable of batches: they come in their order, over and over.
        batch_size: Int. Examples a batch where `data` is a tuple of arrays.
        seed: Int. Fixes what is drawn.
    """

    def __init__(self, data, batch_size, seed):
        check_data(data)
        self.data = data
        self.batch_size = batch_size
        self.seed = seed
        self._stream, self._next = None, 0

    def batch(self, index):
        """Batch number `index`: a tuple (x, y, sample_weight) of numpy arrays."""
        if isinstance(self.data, tuple):
            generator = np.random.default_rng([self.seed, index])
            return draw_batch(self.data, self.batch_size, generator)
        if self._stream is None or index < self._next:
            self._stream, self._next = self._forever(), 0
        for _ in range(index - self._next):
            next(self._stream)
        self._next = index + 1
        return next(self._stream)

    def _forever(self):
        while True:
            batch = None
            for batch in batches_of(self.data, self.batch_size):
                yield batch
            if batch is None:
                raise ValueError("Argument `data` holds no example. Received: no batch")
