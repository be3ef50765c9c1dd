"""Dynamic network surgery (Guo et al., 2016)."""

import keras_prune as kp
from benchmarks.mnist.rows import Row


def surgery(task, phases, gamma, end_step, dropout, **fit):
    """From the dense network on, with new thresholds in each (c, epochs) of `phases`."""
    schedule = kp.RandomDecay(gamma, end_step=end_step, seed=task.seed)
    model = task.dense(dropout)
    for c, epochs in phases:
        callback = kp.PruneCallback(regrowth=kp.DNS(c), schedule=schedule)
        task.fit(model, epochs=epochs, callbacks=[callback], **fit)
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
            phases=[
                [{"fc1": 4.0, "fc2": 4.0, "fc3": 1.0}, 15],
                *[[{"fc1": 0.0, "fc2": 0.0, "fc3": -0.5}, 15]] * 3,
            ],
            gamma=1e-4,
            end_step=0.6,
            dropout=0.1,
            rate=0.05,
            weight_decay=1e-3,
        ),
        paper=(56.0, "1.99"),
        notes="2.08 % at 30x, and 0.22 % on the training images. One training with "
        "c=4/4/1: rate 0.02, decay 1e-3, 20 epochs 2.17 % at 19x; c=7/6/2, "
        "rate 0.05, no decay, 40 epochs 3.33 % at 19x with 88 of 300 units left: high thresholds "
        "remove whole units in the first step. Without standardized images c=6/6/2, decay 2e-3 "
        "3.55 % at 44x.",
    ),
    Row(
        key="dns-lenet-5",
        table="published",
        method=_PAPER,
        network="LeNet-5",
        measure=surgery,
        settings=dict(
            phases=[
                [{"conv1": -0.5, "conv2": 0.0, "fc1": 2.5, "fc2": 0.5}, 3],
                *[[{"conv1": -1.0, "conv2": 0.0, "fc1": 0.0, "fc2": -0.5}, 3]] * 4,
            ],
            gamma=1e-4,
            end_step=0.6,
            dropout=0.1,
            rate=0.02,
            weight_decay=1e-3,
        ),
        paper=(111.0, "0.91"),
        notes="0.92 % at 68x with one training less. One training: c=-0.5/1/3/1, rate 0.01, "
        "no decay, 5 epochs 0.90 % at 35x; "
        "c=1/3/6/3 with decay 1e-3, not standardized, lost all weights.",
    ),
)
