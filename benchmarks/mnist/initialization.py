"""Pruning before training: SNIP (Lee et al., 2019) and GraSP (Wang et al., 2020)."""

import keras_prune as kp
from benchmarks.mnist.rows import Row


def at_initialization(task, sparsity, criterion, examples, **fit):
    """Prune the network as it was initialized, once, and train what is left."""
    x, y = task.data.train
    callback = kp.PruneCallback(
        sparsity,
        criterion,
        allocation="global",
        schedule=kp.OneShot(0),
        data=(x[:examples], y[:examples]),
    )
    model = task.model()
    task.fit(model, callbacks=[callback], **fit)
    return task.measured(model)


_SNIP = "[SNIP](https://arxiv.org/abs/1810.02340)"
_PAPER = {
    ("LeNet-300-100", 0.95): "1.6",
    ("LeNet-300-100", 0.98): "2.4",
    ("LeNet-5", 0.98): "0.8",
    ("LeNet-5", 0.99): "1.1",
}
_NOTES = {
    ("snip", "LeNet-300-100", 0.95): "2.58 %; 60 epochs 2.65, decay 2e-2 3.15, 5,000 "
    "examples 2.58, images less their mean, pixel by pixel, 2.63; half the rate and twice the "
    "decay 2.72. Without standardized images 3.28; there 40 epochs at rate 0.3 2.63 "
    "(decay 1e-3) and 2.98 (none), Adam 0.01 2.62 and at 0.003 3.33.",
}
_TRAINING = {
    "LeNet-300-100": dict(epochs=20, rate=0.1, weight_decay=5e-3),
    "LeNet-5": dict(epochs=8, rate=0.03, weight_decay=1e-3),
}


def _row(criterion, network, sparsity, table):
    paper = _PAPER.get((network, sparsity)) if table == "published" else None
    examples = {"LeNet-300-100": 100, "LeNet-5": 100}[network]
    return Row(
        key=f"{criterion}-{network.lower()}-{sparsity}",
        table=table,
        method=_SNIP if table == "published" else {"snip": "SNIP", "grasp": "GraSP"}[criterion],
        network=network,
        measure=at_initialization,
        settings=dict(
            sparsity=sparsity, criterion=criterion, examples=examples, **_TRAINING[network]
        ),
        paper=paper and (1.0 / (1.0 - sparsity), paper),
        notes=_NOTES.get((criterion, network, sparsity), ""),
    )


ROWS = (
    *(_row("snip", network, sparsity, "published") for network, sparsity in _PAPER),
    *(
        _row(criterion, "LeNet-300-100", sparsity, "initialization")
        for criterion in ("snip", "grasp")
        for sparsity in (0.98, 0.99, 0.995)
        if (criterion, sparsity) != ("snip", 0.98)
    ),
)
