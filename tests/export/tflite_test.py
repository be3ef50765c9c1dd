import keras
import numpy as np
import pytest

from keras_prune import backend
from keras_prune.export import flatbuffer
from keras_prune.export.tflite import export_tflite
from keras_prune.runtime.interpreter import Job, run_jobs

layers = keras.layers


def prune(model, sparsity=0.8):
    """Set weights to zero and give batch normalization statistics that folding must use."""
    generator = np.random.default_rng(0)
    for variable in model.variables:
        value = backend.to_numpy(variable)
        if value.ndim > 1:
            variable.assign(value * (generator.random(value.shape) >= sparsity))
        elif "moving_variance" not in variable.path:
            variable.assign(generator.normal(size=value.shape))
    return model


def conv_net():
    """Convolution, depthwise convolution and matrix, each with batch normalization to fold."""
    keras.utils.set_random_seed(0)
    return prune(
        keras.Sequential(
            [
                keras.Input((12, 12, 3)),
                layers.Conv2D(32, 3, padding="same", use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.DepthwiseConv2D(3, strides=2),
                layers.BatchNormalization(),
                layers.Conv2D(48, 3, dilation_rate=2, activation="relu"),
                layers.Flatten(),
                layers.Dense(32),
                layers.BatchNormalization(),
                layers.Dense(10, activation="softmax"),
            ]
        )
    )


DATA = np.random.default_rng(1).normal(size=(16, 12, 12, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    return conv_net()


def outputs_of(path, inputs):
    result = run_jobs({"file": Job(path)}, {"x": inputs[:, None]}, random_samples=0)["file"]
    assert result.error is None
    return np.concatenate([sample[0] for sample in result.outputs])


def kinds(path):
    parsed = flatbuffer.read_model(path)
    return [flatbuffer.operator_name(parsed, o) for o in parsed.subgraphs[0].operators]


def test_float_file_computes_what_keras_computes(model, tmp_path):
    path = tmp_path / "model.tflite"
    report = export_tflite(model, path)
    expected = keras.ops.convert_to_numpy(model(DATA))
    np.testing.assert_allclose(outputs_of(path, DATA), expected, rtol=1e-3, atol=1e-5)
    found = kinds(path)
    assert found.count("DENSIFY") == len(report.sparse_tensors) == 5
    # Batch normalization is folded, the batch is fixed, dilation is one operator.
    assert not {"MUL", "ADD", "SHAPE", "PACK", "SPACE_TO_BATCH_ND"} & set(found)
    assert path.stat().st_size == report.sparse_bytes < 0.4 * report.dense_bytes
    assert (report.max_difference, report.samples, report.notes) == (0, 4, [])
    for tensor in report.tensors:
        assert tensor.sparsity == pytest.approx(0.8, abs=0.06)


def test_int8_file(model, tmp_path):
    path = tmp_path / "model.tflite"
    report = export_tflite(model, path, "int8", DATA)
    parsed = flatbuffer.read_model(path)
    ends = [*parsed.subgraphs[0].inputs, *parsed.subgraphs[0].outputs]
    tensors = parsed.subgraphs[0].tensors
    assert [flatbuffer.type_name(tensors[i]) for i in ends] == ["INT8", "INT8"]
    assert [tensor.dtype for tensor in report.tensors] == ["INT8"] * 5
    assert all(tensor.sparsity >= 0.74 for tensor in report.tensors)
    assert len(report.sparse_tensors) == 2
    assert (report.max_difference, report.samples) == (0, 4 + 8)
    expected = keras.ops.convert_to_numpy(model(DATA)).argmax(axis=1)
    found = outputs_of(path, DATA).argmax(axis=1)
    assert np.mean(found == expected) >= 0.75


def test_dynamic_range_file_small_profile(model, tmp_path):
    path = tmp_path / "model.tflite"
    report = export_tflite(model, path, "dynamic", profile="small")
    assert kinds(path).count("DENSIFY") == len(report.sparse_tensors) >= 1
    large = next(tensor for tensor in report.tensors if tensor.shape == (32, 48))
    assert (large.dtype, large.operator) == ("INT8", "FULLY_CONNECTED")
    assert large.encoding.endswith("FULLY_CONNECTED version 8")
    assert report.max_difference < 1e-2


def test_dense_file_on_request(model, tmp_path):
    report = export_tflite(model, tmp_path / "model.tflite", sparse=False)
    assert report.profile == "dense"
    assert report.dense_bytes == report.sparse_bytes
    assert {tensor.reason for tensor in report.tensors} == {"dense weights were asked for"}


def test_two_named_inputs(tmp_path):
    # The converter sorts inputs by name, so samples must find theirs by name as well.
    first, second = keras.Input((8,), name="zebra"), keras.Input((5,), name="ant")
    joined = layers.Concatenate()([layers.Dense(64)(first), layers.Dense(4)(second)])
    model = prune(keras.Model([first, second], layers.Dense(16)(joined)))
    data = [np.random.default_rng(0).normal(size=(6, size)) for size in (8, 5)]
    report = export_tflite(model, tmp_path / "model.tflite", "int8", data)
    assert (report.max_difference, report.samples) == (0, 4 + 6)


@pytest.mark.all_backends
def test_export_from_every_backend(tmp_path):
    keras.utils.set_random_seed(0)
    model = prune(keras.Sequential([keras.Input((40,)), layers.Dense(32), layers.Dense(4)]))
    data = np.random.default_rng(0).normal(size=(8, 40)).astype("float32")
    report = export_tflite(model, tmp_path / "model.tflite", representative_data=data)
    assert len(report.sparse_tensors) == 1
    expected = keras.ops.convert_to_numpy(model(data))
    found = outputs_of(tmp_path / "model.tflite", data)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


class Rotated(layers.Layer):
    def call(self, x):
        return keras.ops.svd(x)[0]


def small(*extra, shape=(4, 4)):
    return keras.Sequential([keras.Input(shape), layers.Dense(4), *extra])


def test_what_the_converter_cannot_convert(tmp_path):
    with pytest.raises(ValueError, match=r"cannot convert the model: .*Received: model='sequ"):
        export_tflite(small(Rotated()), tmp_path / "model.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"quantize": "int4"}, "Received: quantize='int4'"),
        ({"quantize": "int8"}, "needs `representative_data`"),
        ({"quantize": "int8", "representative_data": np.ones((2, 3))}, "does not fit"),
        ({"profile": "fast"}, "Received: profile='fast'"),
        ({"path": "no/folder/m.tflite"}, "folder to write to does not exist"),
        ({"model": "model.keras"}, "must be a `keras.Model`"),
        ({"model": keras.Sequential([layers.Dense(2)])}, "Build the model"),
        ({"model": small(shape=(None, 4))}, r"fixed size.*shape=\(None, None, 4\)"),
    ],
)
def test_wrong_arguments(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        export_tflite(**{"model": small(), "path": "model.tflite", **arguments})
    assert list(tmp_path.iterdir()) == []
