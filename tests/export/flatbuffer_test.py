import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.export import flatbuffer
from keras_prune.export.sparse_encoding import CSR, DENSE, SparseLayout
from tests.export.tflite_models import (
    add_operator,
    add_tensor,
    convolution,
    empty_model,
    fully_connected,
    make_sparse,
)

BROKEN = {
    "litert_0_subgraphs.bin": "it has no subgraph",
    "litert_test_model_broken.bin": "identifier TFL3 is missing",
    "mlperf_ic_resnet8.h5": "identifier TFL3 is missing",
}


def small_file():
    weight = np.array([[1, 0, 0, 2], [0, 0, 3, 0]], np.float32)
    model = make_sparse(fully_connected(weight), SparseLayout((0, 1), (DENSE, CSR)))
    model.metadata = [flatbuffer.schema().MetadataT(name="note", buffer=0)]
    return flatbuffer.serialize_model(model)


SMALL = small_file()


def constants(model):
    return [
        flatbuffer.tensor_array(model, tensor)
        for subgraph in model.subgraphs
        for tensor in subgraph.tensors
    ]


def test_real_files_are_read_or_refused(data_dir):
    files = sorted((data_dir / "models").iterdir())
    assert len(files) == 28
    for path in files:
        if path.name in BROKEN:
            with pytest.raises(ValueError, match=BROKEN[path.name]) as error:
                flatbuffer.read_model(path)
            assert str(error.value).endswith(f"Received: path={path}")
            continue
        model = flatbuffer.read_model(path)
        copy = flatbuffer.parse_model(flatbuffer.serialize_model(model))
        for a, b in zip(constants(model), constants(copy), strict=True):
            np.testing.assert_array_equal(a, b)


def test_constants_are_aligned_and_shared_quantization_is_stored_once():
    weight = np.ones((4, 3, 3, 40), np.int8)
    model = convolution(weight)
    data = flatbuffer.serialize_model(model)
    assert data.index(weight.tobytes()) % 16 == 0
    tensors = model.subgraphs[0].tensors
    tensors.append(tensors[1])
    assert len(flatbuffer.serialize_model(model)) - len(data) < 80


def test_sparse_constants_come_back_dense():
    array = flatbuffer.tensor_array(*tensor_of(flatbuffer.parse_model(SMALL), "kernel"))
    assert array.tolist() == [[1, 0, 0, 2], [0, 0, 3, 0]]
    assert not array.flags.writeable


def tensor_of(model, name):
    tensors = model.subgraphs[0].tensors
    return model, next(t for t in tensors if flatbuffer.text(t.name) == name)


@pytest.mark.parametrize(
    "kind, data, shape, expected",
    [
        ("INT4", np.array([0x21, 0xF8], np.uint8), (3,), [1, 2, -8]),
        ("BFLOAT16", np.array([0x3F80, 0xC000], np.uint16), (2,), [1.0, -2.0]),
        ("FLOAT16", np.array([0.5], np.float16), (1,), [0.5]),
        ("BOOL", np.array([1, 0], np.uint8), (2,), [True, False]),
        ("INT64", np.array([-5], np.int64), (), -5),
    ],
)
def test_types(kind, data, shape, expected):
    model = empty_model()
    index = add_tensor(model, shape, kind, data)
    assert flatbuffer.tensor_array(model, model.subgraphs[0].tensors[index]).tolist() == expected


def test_what_is_not_a_number_or_not_constant_is_none():
    model = empty_model()
    add_tensor(model, (1,), "STRING", np.zeros(8, np.uint8))
    add_tensor(model, (3,))
    assert constants(model) == [None, None]


@pytest.mark.parametrize(
    ("shape", "count"), [((5,), 4), ((1 << 20, 1 << 20), 4), ((0, 1 << 30, 1 << 30, 1 << 30), 0)]
)
def test_data_that_does_not_fit_the_shape_is_refused(shape, count):
    model = empty_model()
    index = add_tensor(model, shape, "FLOAT32", np.zeros(count, np.float32), name="w")
    with pytest.raises(ValueError, match="tensor='w'"):
        flatbuffer.tensor_array(model, model.subgraphs[0].tensors[index])


def test_names_and_versions():
    model = fully_connected(np.ones((2, 2), np.int8))
    operator = model.subgraphs[0].operators[0]
    assert flatbuffer.operator_name(model, operator) == "FULLY_CONNECTED"
    assert flatbuffer.operator_version(model, operator) == 4
    custom = add_operator(model, "CUSTOM", [0], [1])
    model.operatorCodes[-1].customCode = b"Spiral"
    assert flatbuffer.operator_name(model, custom) == "CUSTOM:Spiral"
    model.operatorCodes[-1].builtinCode = 100000
    assert flatbuffer.operator_name(model, custom) == "BUILTIN_100000"


def test_options_that_would_be_lost_are_refused():
    model = fully_connected(np.ones((2, 2), np.float32))
    model.subgraphs[0].operators[0].builtinOptions = None
    with pytest.raises(ValueError, match="operator=FULLY_CONNECTED"):
        flatbuffer.serialize_model(model)


def test_data_behind_the_flatbuffer_is_taken_in():
    tables, model = flatbuffer.schema(), empty_model()
    index = add_tensor(model, (4,), "INT8", np.zeros(4, np.int8))

    def packed(offset):
        import flatbuffers

        model.buffers[1] = tables.BufferT(offset=offset, size=4)
        builder = flatbuffers.Builder(64)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    length = len(packed(1 << 40))
    read = flatbuffer.parse_model(packed(length) + bytes([1, 2, 3, 4]))
    tensor = read.subgraphs[0].tensors[index]
    assert flatbuffer.tensor_array(read, tensor).tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="ends behind the end"):
        flatbuffer.parse_model(packed(length + 1) + bytes(4))


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda m: setattr(m.subgraphs[0].tensors[1], "buffer", 9), "buffer of tensor 'kernel'"),
        (lambda m: m.subgraphs[0].operators[0].inputs.__setitem__(0, 9), "input of operator 0"),
        (lambda m: m.subgraphs[0].operators[0].outputs.__setitem__(0, -1), "output of operator"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "opcodeIndex", 3), "operator code"),
        (lambda m: m.subgraphs[0].inputs.__setitem__(0, 44), "input of subgraph 0"),
        (lambda m: m.subgraphs[0].tensors[0].shape.__setitem__(0, -1), "negative dimension"),
    ],
)
def test_indices_out_of_range_are_refused(damage, sentence):
    model = fully_connected(np.ones((2, 2), np.float32))
    damage(model)
    with pytest.raises(ValueError, match=sentence):
        flatbuffer.parse_model(flatbuffer.serialize_model(model))


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "absent.tflite", tmp_path):
        with pytest.raises(ValueError, match="Cannot read the file"):
            flatbuffer.read_model(path)


def check_survives(data):
    """Reading ends with a model whose every constant can be asked for, or with a ValueError."""
    try:
        model = flatbuffer.parse_model(data)
    except ValueError:
        return
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            flatbuffer.operator_name(model, operator)
        for tensor in subgraph.tensors:
            try:
                flatbuffer.tensor_array(model, tensor)
            except ValueError as error:
                assert "Received: " in str(error)
    try:
        flatbuffer.serialize_model(model)
    except ValueError as error:
        assert "Received: " in str(error)


@pytest.mark.parametrize("length", range(0, len(SMALL), 7))
def test_truncated_files(length):
    check_survives(SMALL[:length])


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SMALL) - 4),
            st.one_of(
                st.binary(min_size=1, max_size=1),
                st.sampled_from([b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0" * 4]),
                st.integers(0, len(SMALL)).map(lambda n: struct.pack("<I", n)),
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_damaged_files(changes):
    data = bytearray(SMALL)
    for place, piece in changes:
        data[place : place + len(piece)] = piece
    check_survives(bytes(data))


def test_tables_that_are_named_many_times_do_not_multiply():
    # 1000 subgraphs that are one table with 1000 tensors that are one table: a million tensors.
    import flatbuffers

    tables = flatbuffer.schema()
    builder = flatbuffers.Builder(0)
    tables.TensorStart(builder)
    tensor = tables.TensorEnd(builder)

    def vector(start, table):
        start(builder, 1000)
        for _ in range(1000):
            builder.PrependUOffsetTRelative(table)
        return builder.EndVector()

    tensors = vector(tables.SubGraphStartTensorsVector, tensor)
    tables.SubGraphStart(builder)
    tables.SubGraphAddTensors(builder, tensors)
    subgraph = tables.SubGraphEnd(builder)
    subgraphs = vector(tables.ModelStartSubgraphsVector, subgraph)
    tables.ModelStart(builder)
    tables.ModelAddSubgraphs(builder, subgraphs)
    builder.Finish(tables.ModelEnd(builder), file_identifier=b"TFL3")
    with pytest.raises(ValueError, match="more tables than fit"):
        flatbuffer.parse_model(bytes(builder.Output()))


def test_strings_that_overlap_do_not_multiply():
    import flatbuffers

    tables = flatbuffer.schema()
    builder = flatbuffers.Builder(0)
    name = builder.CreateString("x" * 20000)
    entries = []
    for _ in range(100):
        tables.MetadataStart(builder)
        tables.MetadataAddName(builder, name)
        entries.append(tables.MetadataEnd(builder))
    tables.ModelStartMetadataVector(builder, len(entries))
    for entry in entries:
        builder.PrependUOffsetTRelative(entry)
    metadata = builder.EndVector()
    tables.ModelStart(builder)
    tables.ModelAddMetadata(builder, metadata)
    builder.Finish(tables.ModelEnd(builder), file_identifier=b"TFL3")
    with pytest.raises(ValueError, match="strings overlap"):
        flatbuffer.parse_model(bytes(builder.Output()))
