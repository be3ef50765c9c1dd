"""L-OBS (Dong, Chen & Pan, 2017): layer by layer with repair, then training, in rounds."""

import keras_prune as kp
from benchmarks.mnist.rows import Row


def l_obs(task, rounds, examples, damping, **fit):
    """Prune with repair and retrain, once for each (sparsity, epochs) of `rounds`."""
    model = task.dense()
    for sparsity, epochs in rounds:
        x = task.data.train[0][:examples]
        kp.prune_layerwise(model, sparsity, x, method="l-obs", allocation="global", damping=damping)
        keep = kp.PruneCallback(sparsity, allocation="global", schedule=kp.OneShot(0))
        task.fit(model, epochs=epochs, callbacks=[keep], **fit)
    return task.measured(model)


ROWS = (
    Row(
        key="l-obs-lenet-300-100",
        table="published",
        method="[L-OBS](https://arxiv.org/abs/1705.07565)",
        network="LeNet-300-100",
        measure=l_obs,
        settings=dict(
            rounds=[[0.8, 4], [0.9, 4], [0.95, 4], [0.97, 4], [0.985, 24]],
            examples=10_000,
            damping=1e-2,
            rate=0.1,
            weight_decay=2e-3,
        ),
        paper=(66.7, "2.0"),
        notes="2.73 %; three rounds (90, 96, 98.5 %) with 2,000 examples and damping 1e-3 3.23.",
    ),
)
