"""How fast TensorFlow Lite files run, with the stock kernels and with ours, in one table."""

import dataclasses
import pathlib
import statistics

import numpy as np

from keras_prune.runtime.delegate import load_delegate, option_text
from keras_prune.runtime.interpreter import Job, run_jobs, time_jobs
from keras_prune.runtime.native import library_path
from keras_prune.tables import render_table


@dataclasses.dataclass
class BenchmarkRow:
    """One file in one configuration.

    Args:
        path: Str. The file.
        runs: Str. `"LiteRT"` or `"LiteRT + delegate"`.
        file_bytes: Int.
        seconds: List of float. Mean seconds of one inference, one for each round.
        max_difference: Float or `None`. Largest difference of an output to the same file in
            LiteRT alone.
        error: Str or `None`. Why it did not run.
    """

    path: str
    runs: str
    file_bytes: int
    seconds: list = dataclasses.field(default_factory=list)
    max_difference: float | None = None
    error: str | None = None

    @property
    def median(self):
        """Median over the rounds, in seconds, or `None`."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def spread(self):
        """Half the distance of the quartiles, as a fraction of the median, or `None`."""
        if len(self.seconds) < 2:
            return None
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / 2 / self.median

    def to_dict(self):
        """Return everything as a dict that JSON can hold."""
        return {**dataclasses.asdict(self), "median": self.median, "spread": self.spread}


@dataclasses.dataclass
class BenchmarkReport:
    """What `benchmark` returns; prints as a table.

    Args:
        rows: List of `BenchmarkRow`.
        threads: Int.
        rounds: Int.
    """

    rows: list
    threads: int
    rounds: int

    def to_dict(self):
        """Return everything as a dict that JSON can hold."""
        rows = [row.to_dict() for row in self.rows]
        return {"rows": rows, "threads": self.threads, "rounds": self.rounds}

    def __str__(self):
        first = next((row.median for row in self.rows if row.median), None)
        threads = f"{self.threads} thread" + ("s" if self.threads > 1 else "")
        return render_table(
            f"Median of {self.rounds} interleaved rounds, {threads}, batch 1",
            ["file", "kernels", ">bytes", ">us", ">+-", ">speed", ">difference"],
            [_cells(row, first) for row in self.rows],
        )


def benchmark(paths, delegate=True, threads=1, runs=15, round_seconds=0.02):
    """Time TensorFlow Lite files with LiteRT's own kernels and with the delegate.

    All configurations run in turns in one process, so that a change of clock speed or a busy
    neighbour hits all of them alike. The first row is the measure for the speed of the others: pass
    the dense files first.

    Example:

    ```python
    print(kp.benchmark(["dense.tflite", "dense_int8.tflite", "sparse_int8.tflite"]))
    ```

    Args:
        paths: Path-like, or list of them. The files.
        delegate: Bool, or dict of options for `load_delegate`. Whether to run each file with
            the delegate too. Defaults to `True`.
        threads: Int. Threads of LiteRT and of the delegate. Defaults to `1`.
        runs: Int. Rounds. Defaults to `15`.
        round_seconds: Float. How long each configuration runs in a round. Defaults to `0.02`.

    Returns:
        A `BenchmarkReport`. A file that does not run, or crashes, has a row that says why.

    Raises:
        ValueError: If an argument is wrong.
        ImportError: If LiteRT is not installed, or the delegate has not been built.
    """
    paths = [paths] if isinstance(paths, (str, pathlib.PurePath)) else list(paths)
    _check_arguments(paths, threads, runs, round_seconds)
    jobs, rows = {}, {}
    for number, path in enumerate(paths):
        for runs_in, handle in _configurations(delegate, threads).items():
            name = f"{number} {runs_in}"
            jobs[name] = Job(path, threads=threads, delegate=handle)
            rows[name] = BenchmarkRow(str(path), runs_in, pathlib.Path(path).stat().st_size)
    _check_outputs(jobs, rows)
    sound = {name: job for name, job in jobs.items() if rows[name].error is None}
    if sound:
        for name, result in time_jobs(sound, runs, round_seconds).items():
            rows[name].seconds, rows[name].error = result.seconds, result.error
    return BenchmarkReport(list(rows.values()), threads, runs)


def _check_arguments(paths, threads, runs, round_seconds):
    numbers = {"threads": threads, "runs": runs, "round_seconds": round_seconds}
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"Argument `{name}` must be positive. Received: {name}={value}")
    if not paths:
        raise ValueError("Argument `paths` must name a file. Received: paths=[]")
    for path in paths:
        if not pathlib.Path(path).is_file():
            raise ValueError(f"There is no such file. Received: path={path}")


def _configurations(delegate, threads):
    found = {"LiteRT": None}
    if delegate is not False and delegate is not None:
        options = {"num_threads": threads, **(delegate if isinstance(delegate, dict) else {})}
        load_delegate(runtime="litert", **options)  # says what is wrong with them, before any run
        texts = {name: option_text(value) for name, value in options.items()}
        found["LiteRT + delegate"] = {"library": str(library_path()), "options": texts}
    return found


def _check_outputs(jobs, rows):
    # Each runs alone first: a crash is then known to be its own.
    stock = None
    for name, job in jobs.items():
        result = run_jobs({name: job}, random_samples=1)[name]
        rows[name].error = result.error
        if job.delegate is None:
            stock = result
        elif stock.error is None and result.error is None:
            rows[name].max_difference = _difference(stock.outputs[0], result.outputs[0])


def _difference(expected, found):
    worst = 0.0
    for a, b in zip(expected, found, strict=True):
        gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
        worst = max(worst, float(gap.max(initial=0.0)))
    return worst


def _cells(row, first):
    fixed = (pathlib.Path(row.path).name, row.runs, row.file_bytes)
    if row.error:
        return (*fixed, "", "", "", row.error)
    gap = "" if row.max_difference is None else f"{row.max_difference:g}"
    return (*fixed, f"{row.median * 1e6:.1f}", _spread(row), f"{first / row.median:.2f}x", gap)


def _spread(row):
    return "" if row.spread is None else f"{row.spread:.0%}"
