"""Dynamic network surgery (Guo et al., 2016)."""

import keras_prune as kp
from benchmarks.mnist.rows import Row


def surgery(task, c, gamma, end_step, dropout, **fit):
    """From the dense network, with thresholds at mean + c * std of each layer."""
    schedule = kp.RandomDecay(gamma, end_step=end_step, seed=task.seed)
    model = task.dense(dropout)
    task.fit(model, callbacks=[kp.PruneCallback(regrowth=kp.DNS(c), schedule=schedule)], **fit)
    return task.measured(model)


_PAPER = "[DNS](https://arxiv.org/abs/1608.04493)"

ROWS = (
    Row(
        key="dns-lenet-300-100",
        table="published",
        method=_PAPER,
        network="LeNet-300-100",
        measure=surgery,
        settings=dict(
            c={"fc1": 2.5, "fc2": 2.5, "fc3": 1.0},
            gamma=1e-4,
            end_step=0.6,
            dropout=0.0,
            epochs=30,
            rate=0.05,
            weight_decay=5e-4,
        ),
        paper=(56.0, "1.99"),
    ),
    Row(
        key="dns-lenet-5",
        table="published",
        method=_PAPER,
        network="LeNet-5",
        measure=surgery,
        settings=dict(
            c={"conv1": 0.5, "conv2": 2.0, "fc1": 3.0, "fc2": 1.5},
            gamma=1e-4,
            end_step=0.6,
            dropout=0.0,
            epochs=8,
            rate=0.03,
            weight_decay=5e-4,
        ),
        paper=(111.0, "0.91"),
    ),
)
