"""What pruning costs while training: `python -m benchmarks.training_overhead`.

Steps: LeNet-5 and ResNet-20 (batch 128) are trained plain, with masks that are refreshed at a
usual distance, with a refresh before every step, and with activations counted, by Keras 3 and, in
an environment of its own, by TFMOT, which counts none. Every training is a process of its own, and
the epochs of a backend's take turns; the first epoch, which compiles, does not count. A refresh
costs what a step with one takes more.

Whole trainings: `fit` of LeNet-300-100 on fresh models, compiling included: plain, with masks
alone (constant sparsity) and with `PruneCallback`'s default schedule, in turns in one process a
backend.

Ratios are of medians.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from benchmarks import results

NAME = "training_overhead"
BACKENDS = ("tensorflow", "jax", "torch")
KINDS = ("plain", "masks", "default")
STEP_KINDS = ("plain", "pruned", "every step", "counted")
STEP_BACKENDS = (*BACKENDS, "tfmot")
# Steps of an epoch. The masks are refreshed once in it.
NETWORKS = {"lenet_5": 50, "resnet_20": 8}
TFMOT = results.REPOSITORY / ".venv-tfmot"


def measure_steps(network, rounds, steps):
    """Time epochs of all kinds in turns, one backend after another.

    Args:
        network: Str. A name in `NETWORKS`.
        rounds: Int. Epochs that count.
        steps: Int. Steps of an epoch, which has one refresh.

    Returns:
        Dict from backends to dicts from kinds to lists: the milliseconds of a step, by epoch.
    """
    backends = [name for name in STEP_BACKENDS if name != "tfmot" or tfmot_python()]
    return {backend: _turns(network, backend, rounds, steps) for backend in backends}


def _turns(network, backend, rounds, steps):
    """The milliseconds of a step by epoch, for each kind, whose epochs take turns."""
    times = {kind: [] for kind in STEP_KINDS if (backend, kind) != ("tfmot", "counted")}
    with contextlib.ExitStack() as stack:
        workers = {}
        for kind in times:
            task = {
                "network": network,
                "backend": backend,
                "kind": kind,
                "steps": steps,
                "epochs": rounds + 1,
                "refresh": 1 if kind == "every step" else steps,
            }
            workers[kind] = stack.enter_context(_Worker(task))
        for _ in range(rounds + 1):
            for kind, worker in workers.items():
                times[kind].append(worker.epoch() / steps * 1e3)
    return {kind: values[1:] for kind, values in times.items()}


class _Worker(contextlib.AbstractContextManager):
    """A `training_worker` process."""

    def __init__(self, task):
        python = tfmot_python() if task["backend"] == "tfmot" else sys.executable
        environment = {**os.environ, "PYTHONPATH": str(results.REPOSITORY)}
        if task["backend"] == "tfmot":
            environment["TF_USE_LEGACY_KERAS"] = "1"
        else:
            environment["KERAS_BACKEND"] = task["backend"]
        self.process = subprocess.Popen(
            [str(python), "-m", "benchmarks.training_worker", json.dumps(task)],
            env=environment,
            cwd=results.REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.read(task)

    def read(self, task=None):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"A training broke off, its error is above. Received: {task}")
        return line

    def epoch(self):
        """Let the next epoch pass; returns its seconds."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.read())

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()


def tfmot_python():
    """The interpreter of TFMOT's environment, which is made here; `None` where that fails."""
    python = TFMOT / "bin" / "python"
    ready = TFMOT / ".ready"
    if not ready.exists():
        requirements = pathlib.Path(results.REPOSITORY, "requirements", "tfmot.txt")
        try:
            subprocess.run([sys.executable, "-m", "venv", TFMOT], check=True)
            install = [python, "-m", "pip", "install", "--quiet", "-r", requirements]
            subprocess.run(install, check=True)
        except subprocess.CalledProcessError as error:
            print(f"TFMOT is left out, its environment cannot be made: {error}", file=sys.stderr)
            return None
        ready.touch()
    return python


def measure_here(rounds, steps):
    """Time whole fits of the running backend, with and without pruning in turns.

    Returns:
        Dict with the seconds of every round, for each name in `KINDS`.
    """
    import keras
    import numpy as np

    import keras_prune as kp
    from benchmarks.networks import lenet_300_100

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
            model = lenet_300_100(keras)
            model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            begin = time.perf_counter()
            model.fit(x, y, batch_size=128, epochs=3, verbose=0, callbacks=callbacks[kind]())
            times.append(time.perf_counter() - begin)
    return {kind: times[1:] for kind, times in seconds.items()}


def measure_fits(rounds, steps):
    """`measure_here` of every backend, each in a process of its own."""
    sizes = ["--rounds", str(rounds), "--steps", str(steps)]
    command = [sys.executable, "-m", "benchmarks.training_overhead", "--here", *sizes]
    measured = {}
    for backend in BACKENDS:
        environment = {**os.environ, "KERAS_BACKEND": backend}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        measured[backend] = json.loads(done.stdout.splitlines()[-1])
    return measured


def tables(measured):
    """The Markdown of all backends."""
    return f"{_step_table(measured['steps'])}\n\n{_fit_table(measured['fits'])}"


def _step_table(measured):
    rows = []
    for network, one in measured.items():
        refresh = one["steps"]
        for backend, kinds in one["milliseconds"].items():
            plain, pruned, every, counted = (
                statistics.median(kinds[kind]) if kind in kinds else None for kind in STEP_KINDS
            )
            # A pruned step holds a share of one refresh already.
            cost = max(0.0, (every - pruned) / (1.0 - 1.0 / refresh))
            rows.append(
                (
                    network,
                    "TFMOT 0.8.1" if backend == "tfmot" else backend,
                    f"{plain:.2f}",
                    f"{pruned:.2f}",
                    f"{pruned / plain:.3f}x",
                    refresh,
                    f"{cost:.2f}",
                    f"{cost / plain:.3f}",
                    f"{counted / plain:.3f}x" if counted else "",
                )
            )
    columns = [
        "network",
        "",
        ">plain step, ms",
        ">pruned step, ms",
        ">ratio",
        ">steps between refreshes",
        ">refresh, ms",
        ">refresh, steps",
        ">counting activations",
    ]
    return results.markdown_table(columns, rows)


def _fit_table(measured):
    rows = []
    for backend, seconds in measured.items():
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
        "LeNet-300-100, whole `fit`",
        ">plain, s",
        ">masks alone, s",
        ">ratio",
        ">default schedule, s",
        ">ratio",
    ]
    return results.markdown_table(columns, rows)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400, help="steps of an epoch of whole fits")
    parser.add_argument("--quick", action="store_true", help="two rounds of short fits, not kept")
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS, help="measure only their steps anew"
    )
    parser.add_argument("--here", action="store_true", help="print one backend's fits as JSON")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    rounds, steps = (2, 40) if arguments.quick else (arguments.rounds, arguments.steps)
    if arguments.here:
        print(json.dumps(measure_here(rounds, steps)))
        return
    if not arguments.tables_only:
        share = 8 if arguments.quick else 1
        chosen = arguments.networks or NETWORKS
        networks = {network: NETWORKS[network] // share for network in chosen}
        new = {
            network: {"steps": count, "milliseconds": measure_steps(network, rounds, count)}
            for network, count in networks.items()
        }
        if arguments.networks:
            measured = results.load(NAME)["results"]
            measured["steps"].update(new)
        else:
            measured = {"steps": new, "fits": measure_fits(rounds, steps)}
        if arguments.quick:
            print(tables(measured))
            return
        results.save(NAME, measured, rounds=rounds, steps=steps, epochs=3, batch=128)
    document = results.load(NAME)
    results.write_tables(NAME, f"{tables(document['results'])}\n\n{results.provenance(document)}")


if __name__ == "__main__":
    main()
