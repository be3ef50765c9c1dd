"""How much of a layer's input is zero on real data, kept in the metadata of its file.

Kernels that skip zeros on both sides pay where few inputs are live, which only data can tell. The
shares are measured when a file is exported and travel with it, under the names of its tensors.
"""

import json
import pathlib
import tempfile

import numpy as np

from keras_prune.export.flatbuffer import operator_name, schema, serialize_model, tensor_array
from keras_prune.export.flatbuffer_checks import text
from keras_prune.runtime.interpreter import Job, run_jobs

ENTRY = "keras_prune.live_inputs"
OPERATORS = ("FULLY_CONNECTED",)
TIMEOUT_SECONDS = 300


def record_live_inputs(model, inputs):
    """Measure the share of live inputs of every FULLY_CONNECTED and keep it in the metadata.

    An input is live where it is not zero: in int8, where it is not the zero point.

    Args:
        model: `ModelT`. Its metadata is changed.
        inputs: Dict of input name to array (samples, ...).

    Returns:
        `None`, or a sentence that says why nothing was recorded.
    """
    places = _places(model)
    if not places:
        return None
    found = _run(model, places, inputs)
    if found.error:
        return f"live inputs were not recorded: {found.error}"
    tensors = model.subgraphs[0].tensors
    shares = {
        text(tensors[place].name): _share([sample[at] for sample in found.outputs], tensors[place])
        for at, place in enumerate(places)
    }
    _store(model, {"samples": len(found.outputs), "live": shares})
    return None


def stored_shares(model):
    """Return the shares that a file's metadata holds.

    Args:
        model: `ModelT`.

    Returns:
        Dict of tensor name to float in [0, 1]; empty where there are none, or where the entry is
        not what `record_live_inputs` writes.
    """
    entry = _entry(model)
    if entry is None or model.buffers[entry.buffer].data is None:
        return {}
    try:
        document = json.loads(bytes(model.buffers[entry.buffer].data))
        shares = {str(name): float(share) for name, share in document["live"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return shares if all(0.0 <= share <= 1.0 for share in shares.values()) else {}


def _places(model):
    # The computed first inputs, each once; constants need no measuring.
    subgraph = model.subgraphs[0]
    places = {
        int(operator.inputs[0]): None
        for operator in subgraph.operators
        if operator_name(model, operator) in OPERATORS and len(operator.inputs)
    }
    tensors = subgraph.tensors
    return [p for p in places if p >= 0 and tensor_array(model, tensors[p]) is None]


def _run(model, places, inputs):
    # The inputs of the layers become outputs of a copy of the file.
    subgraph = model.subgraphs[0]
    outputs, subgraph.outputs = subgraph.outputs, np.array(places, np.int32)
    try:
        data = serialize_model(model)
    finally:
        subgraph.outputs = outputs
    with tempfile.TemporaryDirectory(prefix="keras_prune_") as folder:
        path = pathlib.Path(folder, "probed.tflite")
        path.write_bytes(data)
        jobs = {"probed": Job(path, "reference")}
        return run_jobs(jobs, inputs, random_samples=0, timeout=TIMEOUT_SECONDS)["probed"]


def _share(values, tensor):
    quantization = tensor.quantization
    zero = 0
    if quantization is not None and quantization.zeroPoint is not None:
        zero = int(quantization.zeroPoint[0]) if len(quantization.zeroPoint) else 0
    return round(float(np.mean([np.mean(value != zero) for value in values])), 4)


def _store(model, document):
    tables, data = schema(), np.frombuffer(json.dumps(document).encode(), np.uint8)
    entry = _entry(model)
    if entry is None:
        entry = tables.MetadataT()
        entry.name = ENTRY.encode()
        model.metadata = [*(model.metadata or []), entry]
        model.buffers.append(tables.BufferT())
        entry.buffer = len(model.buffers) - 1
    model.buffers[entry.buffer].data = data


def _entry(model):
    entries = (entry for entry in model.metadata or [] if text(entry.name) == ENTRY)
    return next(entries, None)
