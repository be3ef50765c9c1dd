"""The lottery ticket (Frankle & Carbin, 2019) with its two controls."""

import keras_prune as kp
from benchmarks.mnist.rows import Row


def tickets(task, sparsity, rounds, rate, epochs):
    """A point for each density: the ticket, fresh initial weights, and random masks."""
    model = task.model()
    task.compile(model, epochs=epochs, rate=rate, kind="adam")

    def train(model, callbacks, round):
        task.run(model, epochs, callbacks)

    report = kp.lottery_ticket(
        model,
        train,
        evaluate=lambda model: {"error": task.error(model)},
        rounds=rounds,
        sparsity=sparsity,
        control=("random_reinit", "random_mask"),
        seed=task.seed,
    )
    return {
        f"{name} {found.density:.4f}": dict(error=evaluation["error"], density=found.density)
        for found in report.rounds
        for name, evaluation in {"ticket": found.evaluation, **found.controls}.items()
    }


ROWS = (
    Row(
        key="lottery-lenet-300-100",
        table="lottery",
        method="lottery ticket",
        network="LeNet-300-100",
        measure=tickets,
        settings=dict(sparsity=0.98, rounds=8, rate=1.2e-3, epochs=8),
    ),
)
