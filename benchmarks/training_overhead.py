"""What pruning costs while training: `python -m benchmarks.training_overhead`.

`fit` of LeNet-300-100 on fresh models, compiling included: plain, with masks alone (constant
sparsity) and with `PruneCallback`'s default schedule, in turns in one process a backend. The
ratios are of medians.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from benchmarks import results

NAME = "training_overhead"
BACKENDS = ("tensorflow", "jax", "torch")
KINDS = ("plain", "masks", "default")


def measure_here(rounds, steps):
    """Time fits of the running backend, with and without pruning in turns.

    Returns:
        Dict with the seconds of every round, for each name in `KINDS`.
    """
    import keras
    import numpy as np

    import keras_prune as kp

    x = np.random.default_rng(0).normal(size=(steps * 128, 784)).astype("float32")
    y = np.random.default_rng(1).integers(0, 10, len(x))
    callbacks = {
        "plain": lambda: [],
        "masks": lambda: [kp.PruneCallback(0.8, schedule=kp.ConstantSparsity(frequency=10**9))],
        "default": lambda: [kp.PruneCallback(0.8)],
    }
    seconds = {kind: [] for kind in KINDS}
    for _ in range(rounds + 1):
        for kind, times in seconds.items():
            keras.utils.set_random_seed(0)
            model = keras.Sequential(
                [
                    keras.Input((784,)),
                    keras.layers.Dense(300, activation="relu"),
                    keras.layers.Dense(100, activation="relu"),
                    keras.layers.Dense(10, activation="softmax"),
                ]
            )
            model.compile("adam", "sparse_categorical_crossentropy")
            begin = time.perf_counter()
            model.fit(x, y, batch_size=128, epochs=3, verbose=0, callbacks=callbacks[kind]())
            times.append(time.perf_counter() - begin)
    return {kind: times[1:] for kind, times in seconds.items()}


def tables(document):
    """The Markdown of all backends."""
    rows = []
    for backend, seconds in document["results"].items():
        plain, masks, default = (statistics.median(seconds[kind]) for kind in KINDS)
        rows.append(
            (
                backend,
                f"{plain:.2f}",
                f"{masks:.2f}",
                f"{masks / plain:.2f}x",
                f"{default:.2f}",
                f"{default / plain:.2f}x",
            )
        )
    columns = [
        "backend",
        ">plain, s",
        ">masks alone, s",
        ">ratio",
        ">default schedule, s",
        ">ratio",
    ]
    return f"{results.markdown_table(columns, rows)}\n\n{results.provenance(document)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=400, help="steps of an epoch")
    parser.add_argument("--here", action="store_true", help="print one backend's times as JSON")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if arguments.here:
        print(json.dumps(measure_here(arguments.rounds, arguments.steps)))
        return
    if not arguments.tables_only:
        sizes = ["--rounds", str(arguments.rounds), "--steps", str(arguments.steps)]
        command = [sys.executable, "-m", "benchmarks.training_overhead", "--here", *sizes]
        measured = {}
        for backend in BACKENDS:
            environment = {**os.environ, "KERAS_BACKEND": backend}
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            measured[backend] = json.loads(done.stdout.splitlines()[-1])
        results.save(NAME, measured, rounds=arguments.rounds, steps=arguments.steps, epochs=3)
    results.write_tables(NAME, tables(results.load(NAME)))


if __name__ == "__main__":
    main()
