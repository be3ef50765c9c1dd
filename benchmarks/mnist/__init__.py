"""Published tables on MNIST, one family of methods a module."""

from benchmarks.mnist import (
    initialization,
    layerwise,
    lottery,
    magnitude,
    penalties,
    surgery,
)

ROWS = (
    *magnitude.ROWS,
    *layerwise.ROWS,
    *surgery.ROWS,
    *penalties.ROWS,
    *initialization.ROWS,
    *lottery.ROWS,
)
