import numpy as np
import pytest

from keras_prune.export import flatbuffer
from keras_prune.export.rewrite import Rewrite
from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout
from keras_prune.export.verify import verify_files
from tests.export.layouts_test import sparse_array
from tests.export.tflite_models import (
    add_operator,
    add_tensor,
    convolution,
    empty_model,
    empty_subgraph,
    fully_connected,
    make_sparse,
    set_ends,
)

MATRIX = sparse_array((64, 64), np.float32)


def operators(model, subgraph=0):
    name, version = flatbuffer.operator_name, flatbuffer.operator_version
    return [
        f"{name(model, operator)} {version(model, operator)}"
        for operator in model.subgraphs[subgraph].operators
    ]


def rewritten(model, folder, profile="portable"):
    """Rewrite a model, check that it computes the same, and return it with its reports."""
    dense = flatbuffer.serialize_model(model)
    before = flatbuffer.parse_model(dense)
    plan = Rewrite(model, profile)
    plan.raise_versions()
    (folder / "twin.tflite").write_bytes(flatbuffer.serialize_model(model))
    plan.apply()
    flatbuffer.write_model(model, folder / "sparse.tflite")
    assert verify_files(folder / "twin.tflite", folder / "sparse.tflite", "x").samples == 4
    for subgraph, old in zip(model.subgraphs, before.subgraphs, strict=True):
        for tensor, twin in zip(subgraph.tensors, old.tensors, strict=False):
            np.testing.assert_array_equal(
                flatbuffer.tensor_array(model, tensor), flatbuffer.tensor_array(before, twin)
            )
    smaller = (folder / "sparse.tflite").stat().st_size < len(dense)
    assert smaller == any(report.encoding != "dense" for report in plan.reports)
    return plan.reports


def test_float_matrix_goes_through_densify(tmp_path):
    model = fully_connected(MATRIX)
    (report,) = rewritten(model, tmp_path)
    assert operators(model) == ["DENSIFY 1", "FULLY_CONNECTED 1"]
    assert (report.name, report.operator, report.shape) == ("kernel", "FULLY_CONNECTED", (64, 64))
    assert report.sparsity == pytest.approx(np.mean(MATRIX == 0))
    assert report.dense_bytes == 64 * 64 * 4
    assert report.sparse_bytes < 0.35 * report.dense_bytes
    assert report.encoding.endswith(", DENSIFY")
    assert report.reason == ""


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_convolution_goes_through_densify(dtype, tmp_path):
    model = convolution(sparse_array((32, 3, 3, 32), dtype))
    (report,) = rewritten(model, tmp_path)
    assert operators(model) == ["DENSIFY 1", f"CONV_2D {3 if dtype == np.int8 else 1}"]
    assert report.encoding != "dense"


def test_int8_matrix_stays_dense_or_takes_version_8(tmp_path):
    weight = sparse_array((64, 64), np.int8)
    model = fully_connected(weight)
    (report,) = rewritten(model, tmp_path)
    assert operators(model) == ["FULLY_CONNECTED 4"]
    assert 'profile "small"' in report.reason
    model = fully_connected(weight)
    (report,) = rewritten(model, tmp_path, "small")
    assert operators(model) == ["DENSIFY 1", "FULLY_CONNECTED 8"]
    assert report.encoding.endswith("version 8")


def test_fast_profile_feeds_blocks_of_four_directly(tmp_path):
    blocks = sparse_array((64, 16, 1), np.float32, 0.1).repeat(4, axis=2).reshape(64, 64)
    model = fully_connected(blocks)
    (report,) = rewritten(model, tmp_path, "f32-fc-fast")
    assert operators(model) == ["FULLY_CONNECTED 8"]
    assert report.encoding == "DSD order 0,1,2 blocks 4, direct, FULLY_CONNECTED version 8"
    model = fully_connected(MATRIX)
    rewritten(model, tmp_path, "f32-fc-fast")
    assert operators(model) == ["DENSIFY 1", "FULLY_CONNECTED 1"]


def test_what_would_not_be_smaller_stays_dense(tmp_path):
    for weight in (sparse_array((64, 64), np.float32, 0.95), sparse_array((8, 8), np.float32)):
        (report,) = rewritten(fully_connected(weight), tmp_path)
        assert report.reason == "sparse would not be smaller"
        assert report.sparse_bytes == report.dense_bytes


def two_matrices(share):
    """input -> FULLY_CONNECTED -> FULLY_CONNECTED with the same weights."""
    tables, model = flatbuffer.schema(), empty_model()
    ends = [add_tensor(model, (1, 64)) for _ in range(3)]
    kernels = [add_tensor(model, (64, 64), data=MATRIX, name="a")]
    if share == "tensor":
        kernels *= 2
    else:
        kernels.append(add_tensor(model, (64, 64), name="b"))
        tensors = model.subgraphs[0].tensors
        tensors[kernels[1]].buffer = tensors[kernels[0]].buffer
    for kernel, source, result in zip(kernels, ends, ends[1:], strict=False):
        options = tables.FullyConnectedOptionsT()
        add_operator(model, "FULLY_CONNECTED", [source, kernel, -1], [result], options)
    set_ends(model, ends[:1], ends[-1:])
    return model


def test_shared_tensor_gets_one_densify(tmp_path):
    model = two_matrices("tensor")
    reports = rewritten(model, tmp_path)
    assert operators(model) == ["DENSIFY 1", "FULLY_CONNECTED 1", "FULLY_CONNECTED 1"]
    assert len(reports) == 1


def test_shared_buffer_stays_shared(tmp_path):
    model = two_matrices("buffer")
    reports = rewritten(model, tmp_path)
    assert operators(model).count("DENSIFY 1") == 2
    assert [report.encoding == "dense" for report in reports] == [False, False]
    assert model.subgraphs[0].tensors[3].buffer == model.subgraphs[0].tensors[4].buffer


def test_buffer_shared_with_a_dense_tensor_stays_dense(tmp_path):
    model = two_matrices("buffer")
    model.subgraphs[0].outputs = np.array([2, 4], np.int32)
    reports = rewritten(model, tmp_path)
    assert [report.reason for report in reports] == [
        "its data is shared with a tensor that stays dense",
        "it is an output of the graph",
    ]


def test_buffer_shared_with_metadata_stays_dense(tmp_path):
    model = fully_connected(MATRIX)
    buffer = model.subgraphs[0].tensors[1].buffer
    model.metadata = [flatbuffer.schema().MetadataT(name="copy", buffer=buffer)]
    (report,) = rewritten(model, tmp_path)
    assert report.reason == "its data is shared with a tensor that stays dense"


def test_buffer_shared_in_two_shapes_stays_dense(tmp_path):
    model = two_matrices("buffer")
    tensors = model.subgraphs[0].tensors
    tensors[4].shape = np.array([32, 128], np.int32)
    tensors[1].shape = np.array([1, 128], np.int32)
    tensors[2].shape = np.array([1, 32], np.int32)
    tensors[3].shape = np.array([128, 32], np.int32)
    tensors[0].shape = np.array([1, 32], np.int32)
    reports = rewritten(model, tmp_path)
    assert {report.reason for report in reports} == {
        "its data is shared with a tensor of another shape"
    }


def test_weight_read_by_another_operator_stays_dense(tmp_path):
    model = fully_connected(MATRIX)
    total = add_tensor(model, (64, 64))
    add_operator(model, "ADD", [1, 1], [total], flatbuffer.schema().AddOptionsT())
    model.subgraphs[0].outputs = np.array([3, total], np.int32)
    (report,) = rewritten(model, tmp_path)
    assert report.reason == "ADD takes no sparse value there"
    assert report.operator == "FULLY_CONNECTED, ADD"


def test_second_subgraph_and_signatures(tmp_path):
    tables, model = flatbuffer.schema(), fully_connected(MATRIX)
    model.subgraphs.append(empty_subgraph())
    source = add_tensor(model, (1, 64), subgraph=1)
    kernel = add_tensor(model, (64, 64), data=MATRIX.T.copy(), name="second", subgraph=1)
    result = add_tensor(model, (1, 64), subgraph=1)
    options = tables.FullyConnectedOptionsT()
    add_operator(model, "FULLY_CONNECTED", [source, kernel, -1], [result], options, subgraph=1)
    set_ends(model, [source], [result], subgraph=1)
    names = [tables.TensorMapT(name="x", tensorIndex=0)], [tables.TensorMapT("y", 3)]
    model.signatureDefs = [tables.SignatureDefT(*names, signatureKey="run", subgraphIndex=0)]
    reports = rewritten(model, tmp_path)
    assert operators(model, 1) == ["DENSIFY 1", "FULLY_CONNECTED 1"]
    assert [report.name for report in reports] == ["kernel", "second"]
    signature = flatbuffer.read_model(tmp_path / "sparse.tflite").signatureDefs[0]
    assert (signature.signatureKey, signature.outputs[0].tensorIndex) == (b"run", 3)


def test_sparse_tensors_are_left_alone():
    model = make_sparse(fully_connected(MATRIX), SparseLayout((0, 1), (DENSE, CSR)))
    (report,) = rewritten_plan(model)
    assert report.reason == "it already was sparse"
    assert operators(model) == ["DENSIFY 1", "FULLY_CONNECTED 1"]


def rewritten_plan(model):
    plan = Rewrite(model, "portable")
    plan.apply()
    return plan.reports


def changed(weight, **changes):
    model = fully_connected(weight) if weight.ndim == 2 else convolution(weight)
    for name, value in changes.items():
        tensor = model.subgraphs[0].tensors[1 if name == "zero_point" else 0]
        if name == "zero_point":
            tensor.quantization.zeroPoint[0] = value
        else:
            tensor.type = getattr(flatbuffer.schema().TensorType, value)
    return model


@pytest.mark.parametrize(
    "model, reason",
    [
        (changed(sparse_array((64, 64), np.int8), zero_point=3), "its zero point is not 0"),
        (changed(sparse_array((64, 64), np.int8), kind="FLOAT32"), "sparse dynamic-range"),
        (changed(sparse_array((64, 64), np.int8), kind="INT16"), "INT8 weights and INT16"),
        (changed(sparse_array((8, 3, 3, 64), np.int8), kind="FLOAT32"), "and FLOAT32 activations"),
    ],
)
def test_forms_that_some_runtime_does_not_run(model, reason):
    (report,) = rewritten_plan(model)
    assert reason in report.reason


def test_shuffled_weights_stay_dense():
    model = fully_connected(MATRIX)
    model.subgraphs[0].operators[0].builtinOptions.weightsFormat = 1
    assert rewritten_plan(model)[0].reason == "its weights are shuffled"


def test_constants_in_other_files_are_refused():
    model = fully_connected(MATRIX)
    model.subgraphs[0].tensors[1].externalBuffer = 1
    with pytest.raises(ValueError, match="in another file"):
        Rewrite(model, "portable")


def direct(weight, version):
    model = fully_connected(weight, version)
    make_sparse(model, SparseLayout((0, 1), (DENSE, CSR)))
    del model.subgraphs[0].operators[0]
    model.subgraphs[0].operators[0].inputs[1] = 1
    return model


def test_sparse_constants_that_some_runtime_misreads_are_refused():
    assert rewritten_plan(direct(MATRIX, 8))[0].reason == "it already was sparse"
    with pytest.raises(ValueError, match="FULLY_CONNECTED version 4 reads a sparse"):
        Rewrite(direct(MATRIX, 4), "portable")
    with pytest.raises(ValueError, match="with a scale for each channel"):
        Rewrite(direct(sparse_array((64, 64), np.int8), 8), "portable")
