"""Runs TensorFlow Lite files in a process of its own: a file may crash its runtime.

This is a program, started by path from `interpreter.py`, that needs numpy and one TensorFlow
Lite runtime (ai-edge-litert, TensorFlow, or tflite-runtime) and nothing else of this package. It
reads `request.json` in the folder that it is given, prints one JSON line for
every job that failed or was timed, and leaves the outputs in `outputs.npz`.
"""

import importlib
import json
import pathlib
import sys
import time

import numpy as np


def runtime(name):
    """Import the module with `Interpreter`, e.g. `"ai_edge_litert.interpreter"`."""
    module = importlib.import_module(name)
    return module.lite if name == "tensorflow" else module


def make_interpreter(module, job):
    """Make an interpreter with its tensors allocated.

    Args:
        module: The runtime's module.
        job: Dict with `path`, and perhaps `resolver` (`"default"`, `"reference"`), `threads`, and
            `delegate` (`{"library": path, "options": {...}}`).

    Returns:
        An interpreter.
    """
    options = {"num_threads": job.get("threads")}
    if job.get("resolver", "default") == "reference":
        options["experimental_op_resolver_type"] = resolver_types(module).BUILTIN_REF
    if job.get("delegate"):
        delegate = module.load_delegate(job["delegate"]["library"], job["delegate"]["options"])
        options["experimental_delegates"] = [delegate]
    interpreter = module.Interpreter(model_path=job["path"], **options)
    interpreter.allocate_tensors()
    return interpreter


def resolver_types(module):
    """Return the enumeration of operator resolvers, which TensorFlow keeps elsewhere."""
    if hasattr(module, "OpResolverType"):
        return module.OpResolverType
    return module.experimental.OpResolverType


def random_sample(details, seed):
    """Draw an input: floats in [-1, 1), 8 and 16 bit integers over their range, others 0 or 1."""
    generator = np.random.default_rng(seed)
    sample = []
    for detail in details:
        shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
        if dtype.kind == "f":
            value = generator.uniform(-1, 1, shape)
        elif dtype.kind in "iu" and dtype.itemsize <= 2:
            limits = np.iinfo(dtype)
            value = generator.integers(limits.min, limits.max, shape, endpoint=True)
        else:
            value = generator.integers(0, 2, shape)
        sample.append(np.asarray(value).astype(dtype))
    return sample


def given_sample(interpreter, arrays):
    """Turn named float arrays into inputs of the interpreter, quantized where it wants so."""
    signatures = interpreter.get_signature_list()
    names = next(iter(signatures.values()))["inputs"] if signatures else []
    details = interpreter.get_input_details()
    if len(details) == 1:
        return [_quantized(next(iter(arrays.values())), details[0])]
    runner = interpreter.get_signature_runner()
    places = {runner.get_input_details()[name]["index"]: name for name in names}
    return [_quantized(arrays[places[detail["index"]]], detail) for detail in details]


def _quantized(value, detail):
    scale, zero_point = detail["quantization"]
    dtype = np.dtype(detail["dtype"])
    value = np.asarray(value).reshape(detail["shape"])
    if dtype.kind in "iu" and value.dtype.kind == "f" and scale:
        limits = np.iinfo(dtype)
        value = np.clip(np.round(value / scale) + zero_point, limits.min, limits.max)
    return value.astype(dtype)


def invoke(interpreter, sample):
    """Run one sample and return copies of all outputs."""
    for detail, value in zip(interpreter.get_input_details(), sample, strict=True):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [
        np.array(interpreter.get_tensor(detail["index"]))
        for detail in interpreter.get_output_details()
    ]


def samples_of(interpreter, request, folder):
    """Return the request's samples for this interpreter: the random ones, then the given ones."""
    details = interpreter.get_input_details()
    samples = [random_sample(details, seed) for seed in range(request["random_samples"])]
    if (folder / "inputs.npz").exists():
        with np.load(folder / "inputs.npz") as stored:
            arrays = dict(stored)
        for index in range(len(next(iter(arrays.values())))):
            sample = {name: values[index] for name, values in arrays.items()}
            samples.append(given_sample(interpreter, sample))
    return samples


def run(module, request, folder):
    """Run every job on every sample and store the outputs as `<job>|<sample>|<output>`."""
    outputs = {}
    for name, job in request["jobs"].items():
        try:
            interpreter = make_interpreter(module, job)
            for index, sample in enumerate(samples_of(interpreter, request, folder)):
                for place, value in enumerate(invoke(interpreter, sample)):
                    outputs[f"{name}|{index}|{place}"] = value
        except Exception as error:
            say(failed=name, reason=str(error) or type(error).__name__)
    np.savez(folder / "outputs.npz", **outputs)


def bench(module, request, folder):
    """Time the jobs in turns: in every round each runs for a while, so drift hits all alike."""
    ready, outputs = {}, {}
    for name, job in request["jobs"].items():
        try:
            interpreter = make_interpreter(module, job)
            sample = random_sample(interpreter.get_input_details(), 0)
            for place, value in enumerate(invoke(interpreter, sample)):
                outputs[f"{name}|0|{place}"] = value
            ready[name] = (interpreter, calls_for(interpreter, request["round_seconds"]))
        except Exception as error:
            say(failed=name, reason=str(error) or type(error).__name__)
    np.savez(folder / "outputs.npz", **outputs)
    times = {name: [] for name in ready}
    for _ in range(request["rounds"]):
        for name, (interpreter, calls) in ready.items():
            times[name].append(time_calls(interpreter, calls))
    for name, (_, calls) in ready.items():
        say(timed=name, seconds=times[name], calls=calls)


def calls_for(interpreter, seconds):
    """Return how many calls last about that long; this also warms up."""
    once = min(time_calls(interpreter, 1) for _ in range(3))
    return max(1, min(100000, int(seconds / max(once, 1e-7))))


def time_calls(interpreter, calls):
    """Return the mean seconds of a call."""
    begin = time.perf_counter()
    for _ in range(calls):
        interpreter.invoke()
    return (time.perf_counter() - begin) / calls


def say(**line):
    """Print one line of JSON at once, so that it is out before a crash."""
    print(json.dumps(line), flush=True)


def main(folder):
    """Do what `request.json` in the folder asks for."""
    request = json.loads((folder / "request.json").read_text())
    module = runtime(request["runtime"])
    {"run": run, "bench": bench}[request["mode"]](module, request, folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
