"""What pruning costs while training: `python -m benchmarks.training_overhead`.

`fit` of LeNet-300-100 with and without `PruneCallback`, in turns in one process a backend;
the ratio is of medians.
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


def measure_here(rounds, steps):
    """Time fits of the running backend, with and without pruning in turns.

    Returns:
        Dict with the seconds of every round, `plain` and `pruned`.
    """
    import keras
    import numpy as np

    import keras_prune as kp

    x = np.random.default_rng(0).normal(size=(steps * 128, 784)).astype("float32")
    y = np.random.default_rng(1).integers(0, 10, len(x))
    seconds = {"plain": [], "pruned": []}
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
            callbacks = [kp.PruneCallback(0.8)] if kind == "pruned" else []
            model.fit(x[:256], y[:256], batch_size=128, verbose=0)  # compiles, but for the masks
            begin = time.perf_counter()
            model.fit(x, y, batch_size=128, epochs=3, verbose=0, callbacks=callbacks)
            times.append(time.perf_counter() - begin)
    return {kind: times[1:] for kind, times in seconds.items()}


def tables(document):
    """The Markdown of all backends."""
    rows = []
    for backend, seconds in document["results"].items():
        plain, pruned = (statistics.median(seconds[kind]) for kind in ("plain", "pruned"))
        rows.append((backend, f"{plain:.2f}", f"{pruned:.2f}", f"{pruned / plain:.3f}"))
    columns = ["backend", ">fit, s", ">fit with PruneCallback, s", ">ratio"]
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
