"""Time and memory of pruning at once: `python -m benchmarks.one_shot`.

ResNet-50 as `keras.applications` has it, with random weights, by one threshold over all layers;
and a stack of 4096 x 4096 `Dense` layers in bfloat16 with a thousand million weights, uniformly
and by one threshold. Every row is a process of its own: the first call, then the median of the
next ones. The extra memory is what the resident memory at its highest, during the first call, is
above that before it, and stands beside the bytes of all weights.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from benchmarks import results

NAME = "one_shot"
SPARSITY = 0.8
WIDTH = 4096
# Model, backend, allocation, calls.
CASES = (
    ("ResNet-50, float32", "tensorflow", "global", 6),
    ("ResNet-50, float32", "jax", "global", 6),
    ("ResNet-50, float32", "torch", "global", 6),
    ("4096 x 4096 layers, bfloat16", "tensorflow", "uniform", 1),
    ("4096 x 4096 layers, bfloat16", "tensorflow", "global", 1),
    ("4096 x 4096 layers, bfloat16", "jax", "uniform", 1),
    ("4096 x 4096 layers, bfloat16", "jax", "global", 1),
)


def measure_here(case, layers):
    """Prune one model of the running backend.

    Args:
        case: Tuple, a row of `CASES`.
        layers: Int. Layers of the large model.

    Returns:
        Dict of what was measured: seconds, bytes, numbers of weights.
    """
    import keras

    import keras_prune as kp

    name, _, allocation, calls = case
    keras.utils.set_random_seed(0)
    if name.startswith("ResNet"):
        model = keras.applications.ResNet50(weights=None)
    else:
        model = _stack(keras, layers)
    weights = model.get_weights() if calls > 1 else None
    seconds, extra = [], None
    for _ in range(calls):
        before = _start_peak()
        begin = time.perf_counter()
        report = kp.prune(model, SPARSITY, allocation=allocation)
        seconds.append(time.perf_counter() - begin)
        extra = _peak() - before if extra is None else extra
        if weights is not None:
            model.set_weights(weights)
    return {
        "seconds": seconds,
        "extra_bytes": extra,
        "weight_bytes": sum(weight.size for weight in report.pruned) * _width(name),
        "weights": sum(weight.size for weight in report.pruned),
        "zeros": sum(weight.zeros for weight in report.pruned),
        "worst": max(_missed(weight.zeros, weight.size, weight.asked) for weight in report.pruned),
    }


def _stack(keras, layers):
    """Dense layers of normal weights, with a spread that grows from layer to layer."""
    import numpy as np

    generator = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((WIDTH,), dtype="bfloat16")])
    for index in range(layers):
        layer = keras.layers.Dense(
            WIDTH, use_bias=False, kernel_initializer="zeros", dtype="bfloat16"
        )
        model.add(layer)
        values = generator.standard_normal((WIDTH, WIDTH), np.float32)
        values *= 0.01 + 0.02 * index / layers
        layer.kernel.assign(values)
    return model


def _width(name):
    return 2 if name.endswith("bfloat16") else 4


def _missed(zeros, size, asked):
    """Weights by which a sparsity is missed; 0 where none is asked."""
    return 0.0 if asked is None else abs(zeros - asked * size)


def _start_peak():
    """Forget the highest resident memory so far; returns the resident memory in bytes."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak():
    return _status("VmHWM")


def _status(field):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"The memory of a process is read as Linux tells it. Received: {field}")


def table(measured):
    """The Markdown of all cases."""
    rows = []
    for row in measured:
        later = row["seconds"][1:]
        asked = row["weights"] * SPARSITY
        missed = abs(row["zeros"] - asked) if row["allocation"] == "global" else row["worst"]
        rows.append(
            (
                row["model"],
                row["backend"],
                row["allocation"],
                f"{row['weights'] / 1e6:,.1f}",
                f"{row['seconds'][0]:.2f}",
                f"{statistics.median(later):.2f}" if later else "",
                f"{row['weight_bytes'] / 2**20:,.0f}",
                f"{row['extra_bytes'] / 2**20:,.0f}",
                f"{row['extra_bytes'] / row['weight_bytes']:.2f}x",
                f"{missed:.1f}",
            )
        )
    columns = [
        "model",
        "backend",
        "allocation",
        ">million weights",
        ">first call, s",
        ">later, s",
        ">weights, MiB",
        ">extra, MiB",
        ">of the weights",
        ">zeros missed",
    ]
    return results.markdown_table(columns, rows)


def _measure(case, layers):
    command = [sys.executable, "-m", "benchmarks.one_shot", "--layers", str(layers)]
    done = subprocess.run(
        [*command, "--here", json.dumps(case)],
        env={**os.environ, "KERAS_BACKEND": case[1]},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    return {"model": case[0], "backend": case[1], "allocation": case[2], **measured}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=60, help="of the large model")
    parser.add_argument("--quick", action="store_true", help="four such layers, not kept")
    parser.add_argument("--here", type=json.loads, help="print one case's measurements as JSON")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    layers = 4 if arguments.quick else arguments.layers
    if arguments.here:
        print(json.dumps(measure_here(arguments.here, layers)))
        return
    if not arguments.tables_only:
        measured = [_measure(case, layers) for case in CASES]
        if arguments.quick:
            print(table(measured))
            return
        results.save(NAME, measured, sparsity=SPARSITY, seed=0)
    document = results.load(NAME)
    results.write_tables(NAME, f"{table(document['results'])}\n\n{results.provenance(document)}")


if __name__ == "__main__":
    main()
