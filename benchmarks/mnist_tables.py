"""Published tables on MNIST: `python -m benchmarks.mnist_tables`.

Every row is trained once for each seed, and every run is written to the result file at once: an
interrupted benchmark goes on where it was, a row whose settings were changed is measured anew,
and several processes, each with its own `--rows`, share the work. `--validation` tells the error
on validation images instead, which settings are chosen by, and keeps nothing.
"""

import argparse
import json
import os
import re
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# Matrices are small: a second thread costs more than it does.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import keras

from benchmarks import mnist, results
from benchmarks.mnist import tables, training

NAME = "mnist_tables"


def measure(row, seed, data, **task):
    """One run of one row.

    Args:
        row: `Row`.
        seed: Int.
        data: `Data`.
        **task: Other arguments of `Task`.

    Returns:
        Dict: the row's key, the seed, the settings, the seconds and what was measured.
    """
    begin = time.perf_counter()
    found = row.measure(training.Task(row.network, seed, data, **task), **row.settings)
    keras.backend.clear_session()
    seconds = time.perf_counter() - begin
    run = {"row": row.key, "seed": seed, "settings": settings_of(row), "seconds": round(seconds, 1)}
    return {**run, "measured": found}


def settings_of(row):
    """Dict of all that decides about a run, besides the seed."""
    shared = {"dense": training.DENSE[row.network], "batch": training.BATCH[row.network]}
    return json.loads(json.dumps({**shared, **row.settings}))


def is_current(run, row):
    """Whether a run that was read from the file is of a row as it is now."""
    return run["row"] == row.key and run["settings"] == settings_of(row)


def measure_all(rows, seeds):
    """Measure what the result file lacks, seed by seed; others may write to it meanwhile."""
    data = training.load_data("test")
    for seed in seeds:
        for row in rows:
            if any(run["seed"] == seed and is_current(run, row) for run in results.stored(NAME)):
                continue
            run = measure(row, seed, data)
            results.add(NAME, run, ("row", "seed"), backend=keras.config.backend())
            results.write_tables(NAME, tables.markdown(results.load(NAME), mnist.ROWS))
            print(run, flush=True)


def validate(rows, seeds):
    """Tell what settings are chosen by."""
    data = training.load_data("validation")
    for seed in seeds:
        for row in rows:
            print(measure(row, seed, data), flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default="", help="a regular expression: only rows of such keys")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--list", action="store_true", help="print the keys of the rows")
    parser.add_argument("--validation", action="store_true", help="for choosing; keeps nothing")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    rows = [row for row in mnist.ROWS if re.search(arguments.rows, row.key)]
    if arguments.list:
        print("\n".join(row.key for row in rows))
    elif arguments.validation:
        validate(rows, arguments.seeds)
    else:
        if not arguments.tables_only:
            measure_all(rows, arguments.seeds)
        results.write_tables(NAME, tables.markdown(results.load(NAME), mnist.ROWS))


if __name__ == "__main__":
    main()
