"""Makes the constant weights of a parsed TensorFlow Lite model sparse where that is smaller."""

import collections
import copy

import numpy as np

from keras_prune.export import layouts, sparse_encoding
from keras_prune.export.constants import constant_weights
from keras_prune.export.export_report import TensorReport
from keras_prune.export.flatbuffer import (
    builtin_code,
    operator_name,
    operator_version,
    schema,
    text,
    type_name,
)
from keras_prune.export.profiles import (
    SPARSE_VERSION,
    WEIGHT_POSITION,
    Form,
    choose_form,
    direct_layout,
    direct_problem,
)
from keras_prune.export.sparse_parameters import to_schema

# A new tensor, an operator, and the sparsity's tables: measured, at most.
OVERHEAD_BYTES = 352
# Below that share of zero blocks the stock sparse kernel is slower than the dense one.
FAST_BLOCK_SPARSITY = 0.75


class Rewrite:
    """The plan of a rewrite, and its two steps.

    Args:
        model: `ModelT` from `read_model`. The steps change it.
        profile: Str. See `profiles.choose_form`.

    Attributes:
        reports: List of `TensorReport`, in the order of the file.

    Raises:
        ValueError: If the model keeps constants in other files, or feeds a sparse constant to an
            operator that some runtime misreads.
    """

    def __init__(self, model, profile):
        check_source(model)
        self.model = model
        weights = constant_weights(model)
        by_buffer = collections.defaultdict(list)
        for weight in weights:
            _choose(model, weight, profile)
            by_buffer[weight.tensor.buffer].append(weight)
        users = _buffer_users(model)
        for buffer, group in by_buffer.items():
            _encode_group(group, users[buffer])
        self.reports = [_report(model, weight) for weight in weights]
        self._groups = [group for group in by_buffer.values() if group[0].encoded]

    @property
    def changes_kernels(self):
        """Whether the stock runtimes will run some operators in other kernels than before."""
        return any(group[0].form is Form.DENSIFY_V8 for group in self._groups)

    def raise_versions(self):
        """First step: give operators the version that their sparse form needs."""
        for group in self._groups:
            if group[0].form is Form.DENSIFY_V8:
                for weight in group:
                    _raise_version(self.model, weight)

    def apply(self):
        """Second step: make the weights sparse."""
        for group in self._groups:
            _apply_group(self.model, group)


def check_source(model):
    """Raise a `ValueError` for models that cannot be rewritten, or should not be passed on."""
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.externalBuffer:
                raise ValueError(
                    "The model keeps constants in another file, which is not supported. "
                    f"Received: tensor={text(tensor.name)!r}"
                )
        for operator in subgraph.operators:
            _check_direct(model, subgraph, operator)


def _check_direct(model, subgraph, operator):
    for index in operator.inputs:
        tensor = subgraph.tensors[index] if index >= 0 else None
        if tensor is None or tensor.sparsity is None:
            continue
        name, version = operator_name(model, operator), operator_version(model, operator)
        problem = direct_problem(name, version, tensor)
        if problem:
            raise ValueError(
                f"The model would be misread by some runtimes: {problem}. "
                f"Received: tensor={text(tensor.name)!r}"
            )


def _choose(model, weight, profile):
    if weight.tensor.sparsity is not None:
        weight.reason = "it already was sparse"
        return
    for ends, what in ((weight.subgraph.inputs, "input"), (weight.subgraph.outputs, "output")):
        if weight.index in ends:
            weight.reason = f"it is an {what} of the graph"
            return
    forms = set()
    for operator, position in weight.readers:
        if position != WEIGHT_POSITION:
            weight.reason = f"{operator_name(model, operator)} takes no sparse value there"
            return
        form, weight.reason = choose_form(model, weight.subgraph, operator, profile)
        if form is None:
            return
        forms.add(form)
    if len(forms) > 1:
        weight.reason = "it is shared by operators that need different forms"
        return
    weight.form = forms.pop()


def _buffer_users(model):
    users = collections.Counter()
    for subgraph in model.subgraphs:
        users.update(tensor.buffer for tensor in subgraph.tensors)
    users.update(entry.buffer for entry in model.metadata or [])
    return users


def _encode_group(group, users):
    # Tensors that share a buffer become sparse together or not at all: else the file would
    # hold both copies.
    first = group[0]
    if any(weight.form is None for weight in group) or users != len(group):
        _stay(group, "its data is shared with a tensor that stays dense")
    elif any(weight.array.shape != first.array.shape for weight in group):
        _stay(group, "its data is shared with a tensor of another shape")
    else:
        first.encoded = _encode(first)
        if first.encoded is None:
            _stay(group, "sparse would not be smaller")
        for weight in group:
            weight.encoded = first.encoded


def _stay(group, reason):
    for weight in group:
        weight.reason = weight.reason or reason


def _encode(weight):
    # Returns (bytes, layout, values, levels) or None. Indices cost too, so from a tenth of
    # zeros on there is something to look for.
    array = weight.array
    if np.count_nonzero(array) > 0.9 * array.size:
        return None
    if weight.form is Form.DIRECT_V8:
        direct = _encode_direct(array)
        if direct:
            return direct
        weight.form = Form.DENSIFY
    best = layouts.smallest(array)
    return best if best[0] + OVERHEAD_BYTES < array.nbytes else None


def _encode_direct(array):
    layout = direct_layout(array.shape)
    if layout is None:
        return None
    values, levels = sparse_encoding.encode(array, layout)
    if len(values) > (1 - FAST_BLOCK_SPARSITY) * array.size:
        return None
    return sparse_encoding.nbytes(values, levels), layout, values, levels


def _report(model, weight):
    array, encoded = weight.array, weight.encoded
    operators = dict.fromkeys(operator_name(model, operator) for operator, _ in weight.readers)
    dense_bytes = len(model.buffers[weight.tensor.buffer].data)
    return TensorReport(
        name=text(weight.tensor.name),
        operator=", ".join(operators),
        shape=tuple(array.shape),
        dtype=type_name(weight.tensor),
        sparsity=weight.sparsity,
        dense_bytes=dense_bytes,
        sparse_bytes=encoded[0] if encoded else dense_bytes,
        encoding=f"{encoded[1]}, {weight.form.value}" if encoded else "dense",
        reason="" if encoded else weight.reason,
    )


def _raise_version(model, weight):
    code = _operator_code(model, "FULLY_CONNECTED", SPARSE_VERSION)
    for operator, _ in weight.readers:
        operator.opcodeIndex = code


def _apply_group(model, group):
    _, layout, values, levels = group[0].encoded
    buffer = model.buffers[group[0].tensor.buffer]
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    for weight in group:
        weight.tensor.sparsity = to_schema(layout, levels, schema())
        if group[0].form is Form.DIRECT_V8:
            _raise_version(model, weight)
        else:
            insert_densify(model, weight)


def insert_densify(model, weight):
    """Put a DENSIFY operator between a sparse constant and the operators that read it.

    Args:
        model: `ModelT`. Changed.
        weight: `Weight`, sparse already.
    """
    tables, subgraph = schema(), weight.subgraph
    dense = copy.copy(weight.tensor)
    dense.buffer, dense.sparsity = 0, None
    index = len(subgraph.tensors)
    dense.name = f"dense_{index}"
    subgraph.tensors.append(dense)
    for operator, position in weight.readers:
        operator.inputs = np.array(operator.inputs, np.int32)
        operator.inputs[position] = index
    densify = tables.OperatorT()
    densify.opcodeIndex = _operator_code(model, "DENSIFY", 1)
    densify.inputs = np.array([weight.index], np.int32)
    densify.outputs = np.array([index], np.int32)
    densify.builtinOptionsType = tables.BuiltinOptions.DensifyOptions
    densify.builtinOptions = tables.DensifyOptionsT()
    firsts = {id(operator) for operator, _ in weight.readers}
    place = next(i for i, operator in enumerate(subgraph.operators) if id(operator) in firsts)
    subgraph.operators.insert(place, densify)


def _operator_code(model, name, version):
    number = getattr(schema().BuiltinOperator, name)
    for index, code in enumerate(model.operatorCodes):
        if builtin_code(code) == number and code.version == version:
            return index
    code = schema().OperatorCodeT()
    code.builtinCode, code.version = number, version
    code.deprecatedBuiltinCode = min(number, 127)
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
