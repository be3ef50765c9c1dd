"""Runs and times TensorFlow Lite files in a child process, so that no file can take us down."""

import dataclasses
import importlib.util
import json
import pathlib
import signal
import subprocess
import sys
import tempfile

import numpy as np

from keras_prune.runtime import interpreter_worker

RUNTIME = "ai_edge_litert.interpreter"
_NOTE = "keras_prune: "


@dataclasses.dataclass(frozen=True)
class Job:
    """One file in one configuration of the runtime.

    Args:
        path: Path-like. The file.
        resolver: Str. `"default"` (with XNNPACK) or `"reference"` (plain kernels).
        threads: Int or `None`. Defaults to `None`, the runtime's choice.
        delegate: Dict with `library` and `options`, or `None`.
    """

    path: object
    resolver: str = "default"
    threads: int | None = None
    delegate: dict | None = None

    def to_dict(self):
        return {**dataclasses.asdict(self), "path": str(pathlib.Path(self.path).resolve())}


@dataclasses.dataclass
class JobResult:
    """What became of a job.

    Args:
        error: Str or `None`. Why it did not run, in one line.
        outputs: List (samples) of lists (outputs) of arrays.
        seconds: List of float. Mean seconds of a call, one for each round of a benchmark.
        calls: Int. Calls in a round.
        notes: List of str. Lines that the delegate wrote, for this and the other jobs of a call.
    """

    error: str | None = None
    outputs: list = dataclasses.field(default_factory=list)
    seconds: list = dataclasses.field(default_factory=list)
    calls: int = 0
    notes: list = dataclasses.field(default_factory=list)


def run_jobs(
    jobs, inputs=None, random_samples=4, timeout=600, python=sys.executable, runtime=RUNTIME
):
    """Run files on the same inputs and return the outputs.

    Every job sees the same samples: first seeded random ones, then the given. Jobs of one call
    share a process: when it dies, all of them have failed.

    Args:
        jobs: Dict of name to `Job`.
        inputs: Dict of input name to array (samples, ...) or `None`. Floats are quantized where a
            file wants integers.
        random_samples: Int. Defaults to `4`.
        timeout: Seconds for all jobs together. Defaults to `600`.
        python: Str. The Python program that has the runtime. Defaults to the running one.
        runtime: Str. The module to import there. Defaults to `"ai_edge_litert.interpreter"`.

    Returns:
        Dict of name to `JobResult`.

    Raises:
        ImportError: If the running Python does not have the runtime.
    """
    request = {"mode": "run", "random_samples": random_samples, "runtime": runtime}
    return _start(request, jobs, inputs, timeout, python)


def time_jobs(jobs, rounds=15, round_seconds=0.02, timeout=600, python=sys.executable):
    """Time files in turns, and return times and the outputs for one random input.

    Args:
        jobs: Dict of name to `Job`.
        rounds: Int. In each round every job runs once, for about `round_seconds`.
        round_seconds: Float.
        timeout: Seconds for all together. Defaults to `600`.
        python: Str. The Python program that has the runtime. Defaults to the running one.

    Returns:
        Dict of name to `JobResult`.

    Raises:
        ImportError: If the running Python does not have the runtime.
    """
    request = {"mode": "bench", "rounds": rounds, "round_seconds": round_seconds}
    return _start({**request, "runtime": RUNTIME}, jobs, None, timeout, python)


def _start(request, jobs, inputs, timeout, python):
    _require(request["runtime"], python)
    with tempfile.TemporaryDirectory(prefix="keras_prune_") as folder:
        folder = pathlib.Path(folder)
        request["jobs"] = {name: job.to_dict() for name, job in jobs.items()}
        (folder / "request.json").write_text(json.dumps(request))
        if inputs:
            np.savez(folder / "inputs.npz", **inputs)
        # -P keeps the worker's own folder, with names like `delegate`, out of the import path.
        command = [python, "-P", interpreter_worker.__file__, str(folder)]
        lines, notes, failure = _communicate(command, timeout)
        results = _results(lines, failure, jobs)
        for result in results.values():
            result.notes = notes
        _add_outputs(results, folder / "outputs.npz")
    return results


def _require(runtime, python):
    package = runtime.partition(".")[0]
    if python == sys.executable and importlib.util.find_spec(package) is None:
        raise ImportError(
            f"Running TensorFlow Lite files needs the package `{package.replace('_', '-')}`. "
            'Install it with `pip install "keras-prune[tflite]"`.'
        )


def _communicate(command, timeout):
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    try:
        output, errors = process.communicate(timeout=timeout)
        failure = _exit_reason(process.returncode, errors)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        failure = f"it did not finish within {timeout:g} seconds"
    except BaseException:
        process.kill()
        process.communicate()
        raise
    notes = [line for line in errors.splitlines() if line.startswith(_NOTE)]
    return output.splitlines(), notes, failure


def _exit_reason(code, errors):
    if code == 0:
        return None
    if code < 0:
        return f"it crashed the runtime with {signal.Signals(-code).name}"
    last = (errors.strip().splitlines() or ["no message"])[-1]
    return f"the runtime stopped with exit code {code}: {last}"


def _results(lines, failure, jobs):
    # A file may spoil the process's memory and let it die later, so a death counts for all.
    results = {name: JobResult(error=failure) for name in jobs}
    for line in lines:
        message = json.loads(line) if line.startswith("{") else {}
        if "failed" in message:
            results[message["failed"]].error = _one_line(message["reason"])
        elif "timed" in message:
            result = results[message["timed"]]
            result.seconds, result.calls = message["seconds"], message["calls"]
    return results


def _one_line(reason):
    # The runtimes append advice and node numbers on further lines.
    line = next((line.strip() for line in reason.splitlines() if line.strip()), "no message")
    return line.rstrip(".") if len(line) <= 160 else f"{line[:157]} (...)"


def _add_outputs(results, path):
    if not path.exists():
        return
    with np.load(path) as stored:
        keys = sorted(stored.files, key=lambda key: [int(part) for part in key.split("|")[1:]])
        for key in keys:
            name, sample, _ = key.split("|")
            outputs = results[name].outputs
            if len(outputs) <= int(sample):
                outputs.append([])
            outputs[int(sample)].append(stored[key])
