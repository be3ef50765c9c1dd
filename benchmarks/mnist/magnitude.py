"""Magnitude pruning in rounds (Han et al., 2015), and at once against little by little."""

import keras_prune as kp
from benchmarks.mnist.rows import Row


def dense(task):
    """The dense networks that the other rows begin from."""
    return task.measured(task.dense())


def han(task, densities, rounds, end_step, dropout, **fit):
    """Train, prune the smallest weights, retrain; densities of layers as in the paper."""
    sparsities = {layer: 1.0 - density for layer, density in densities.items()}
    schedule = kp.Iterative(rounds, begin_step=0.0, end_step=end_step)
    callback = kp.PruneCallback(allocation=kp.PerLayer(sparsities), schedule=schedule)
    model = task.dense(dropout)
    task.fit(model, callbacks=[callback], **fit)
    return task.measured(model)


def scheduled(task, sparsity, gradual, **fit):
    """From the dense network to a sparsity, at once or little by little, equally long."""
    schedule = kp.PolynomialDecay(end_step=0.5) if gradual else kp.OneShot(0)
    model = task.dense()
    task.fit(model, callbacks=[kp.PruneCallback(sparsity, schedule=schedule)], **fit)
    return task.measured(model)


def _scheduled_rows():
    for sparsity in (0.8, 0.9, 0.95, 0.98):
        for gradual in (False, True):
            name = "gradual" if gradual else "one-shot"
            yield Row(
                key=f"{name}-{sparsity}",
                table="schedules",
                method=name,
                network="LeNet-300-100",
                measure=scheduled,
                settings=dict(sparsity=sparsity, gradual=gradual, **_FINE_TUNING),
            )


_FINE_TUNING = dict(epochs=10, rate=0.05, weight_decay=2e-3)

ROWS = (
    Row(
        key="dense-lenet-300-100",
        table="published",
        method="dense (Han et al.)",
        network="LeNet-300-100",
        measure=dense,
        settings=dict(),
        paper=(1.0, "1.64"),
        notes="1.57 %; 25 epochs at rate 0.05 and dropout 0.1 1.65; without standardized images "
        "1.72 to 1.85 (decay 5e-4 to 5e-3, dropout 0 or 0.3, rate 0.1, 20 epochs).",
    ),
    Row(
        key="dense-lenet-5",
        table="published",
        method="dense (Han et al.)",
        network="LeNet-5",
        measure=dense,
        settings=dict(),
        paper=(1.0, "0.80"),
        notes="0.77 %; without standardized images 0.80 at rate 0.03 and decay 1e-3.",
    ),
    Row(
        key="han-lenet-300-100",
        table="published",
        method="[Han et al., 2015](https://arxiv.org/abs/1506.02626)",
        network="LeNet-300-100",
        measure=han,
        settings=dict(
            densities={"fc1": 0.08, "fc2": 0.09, "fc3": 0.26},
            rounds=5,
            end_step=0.5,
            dropout=0.3,
            epochs=25,
            rate=0.05,
            weight_decay=5e-3,
        ),
        paper=(12.2, "1.59"),
        notes="1.78 % from a dense network with 1.65; 15 epochs at dropout 0.1 1.80; 30 "
        "epochs at rate 0.1 and dropout 0.15 1.88; without standardized images "
        "1.82 at rate 0.1, 2.05 at 0.05, 2.42 at 0.01.",
    ),
    Row(
        key="han-lenet-5",
        table="published",
        method="[Han et al., 2015](https://arxiv.org/abs/1506.02626)",
        network="LeNet-5",
        measure=han,
        settings=dict(
            densities={"conv1": 0.66, "conv2": 0.12, "fc1": 0.078, "fc2": 0.19},
            rounds=8,
            end_step=0.4,
            dropout=0.2,
            epochs=8,
            rate=0.02,
            weight_decay=2e-3,
        ),
        paper=(11.9, "0.77"),
        notes="0.95 %; 1.20 in 5 epochs without dropout at rate 0.01; without standardized images "
        "0.97 at rate 0.06, 1.00 at 0.02, and no convergence at 0.1.",
    ),
    *_scheduled_rows(),
)
