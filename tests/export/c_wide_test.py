"""Networks of int16 activations and int8 weights, compared with LiteRT's reference kernels."""

import keras
import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.export.converter import fixed_batch
from keras_prune.export.converter_worker import export_saved_model
from keras_prune.runtime.c_project import run_c_project
from tests.export.c_model_builder import Model, needs_qemu, random_int8, reference

SAME, VALID = 0, 1
NONE, RELU, RELU_N1_TO_1, RELU6 = 0, 1, 2, 3


def wide_inputs(rng, size, count=3):
    rows = rng.integers(-(2**15), 2**15, (2 + count, size))
    rows[0], rows[1] = -(2**15), 2**15 - 1
    return rows.astype(np.int16)


class Cases:
    """One model with many inputs: each case adds its own input and output."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.model, self.inputs, self.outputs, self.sizes = Model(), [], [], []

    def input(self, shape, scale=1e-4):
        number = self.model.tensor(shape, scale, dtype="int16")
        self.inputs.append(number)
        self.sizes.append(int(np.prod(shape)))
        return number

    def output(self, kind, inputs, shape, scale=1e-4, **options):
        output = self.model.tensor(shape, scale, dtype="int16")
        self.outputs.append(self.model.operator(kind, inputs, [output], **options))

    def weights(self, shape, sparsity, axis=0, count=1):
        values = random_int8(self.rng, shape)
        values[self.rng.random(shape) < sparsity] = 0
        scales = self.rng.uniform(0.001, 0.02, count)
        return self.model.tensor(shape, scales, 0, values, axis=axis)

    def bias(self, channels, reach=2**33):
        values = self.rng.integers(-reach, reach, channels)
        return self.model.tensor((channels,), 1e-6, 0, values, "int64")

    def check(self, tmp_path, target="host"):
        path = self.model.save(tmp_path / "cases.tflite", self.inputs, self.outputs)
        inputs = tuple(wide_inputs(self.rng, size) for size in self.sizes)
        report = export_c(path, tmp_path / "project", target)
        run = run_c_project(tmp_path / "project", inputs, target, flags=("-O1",))
        expected, got = reference(path, inputs), run.outputs
        if len(self.outputs) == 1:
            expected, got = (expected,), (got,)
        for case, (want, have) in enumerate(zip(expected, got, strict=True)):
            np.testing.assert_array_equal(have, want, err_msg=f"case {case}")
        return report


def convolutions(cases, sparsity):
    window = {"strideH": 2, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    for count, activation in ((1, RELU6), (7, NONE)):
        cases.output(
            "CONV_2D",
            [cases.input((2, 6, 5, 9)), cases.weights((7, 3, 2, 9), sparsity, 0, count),
             cases.bias(7)],
            (2, 3, 5, 7), 2e-4, padding=SAME, fusedActivationFunction=activation,
            quantizedBiasType=4, **window,
        )  # fmt: skip
        cases.output(
            "DEPTHWISE_CONV_2D",
            [cases.input((1, 6, 5, 4)), cases.weights((1, 3, 2, 8), 0.0, 3, max(count, 1) % 7 or 8),
             cases.bias(8)],
            (1, 2, 4, 8), 2e-4, padding=VALID, depthMultiplier=2,
            fusedActivationFunction=activation, **window,
        )  # fmt: skip


@pytest.mark.parametrize("sparsity", [0.0, 0.9])
def test_layers_with_weights_match_the_reference(tmp_path, sparsity):
    cases = Cases(seed=1)
    convolutions(cases, sparsity)
    for batch, rows, cols in ((1, 5, 7), (2, 9, 300)):
        for scales in (1, rows):
            inputs = [cases.input((batch, cols)), cases.weights((rows, cols), sparsity, 0, scales)]
            inputs.append(cases.bias(rows, 2**26) if cols < 100 else -1)
            cases.output(
                "FULLY_CONNECTED", inputs, (batch, rows), 3e-3,
                fusedActivationFunction=RELU_N1_TO_1 if scales > 1 else RELU, quantizedBiasType=4,
            )  # fmt: skip
    report = cases.check(tmp_path)
    if sparsity:
        assert any(layer.encoding == "stream" for layer in report.layers)


def test_pooling_and_ends_match_the_reference(tmp_path):
    model, rng = Model(), np.random.default_rng(2)
    source = model.tensor((1, 5, 6, 3), dtype="float32")
    inner = model.operator("QUANTIZE", [source], [model.tensor((1, 5, 6, 3), 1e-4, dtype="int16")])
    for kind, shape in (("MAX_POOL_2D", (1, 3, 3, 3)), ("AVERAGE_POOL_2D", (1, 2, 2, 3))):
        options = {"padding": SAME, "strideH": 2, "strideW": 2}
        options |= {"filterHeight": 3, "filterWidth": 2, "fusedActivationFunction": RELU}
        made = model.tensor(shape, 1e-4, dtype="int16")
        inner = model.operator(kind, [inner], [made], **options)
    shape = model.tensor((2,), data=[1, 12], dtype="int32")
    inner = model.operator("RESHAPE", [inner, shape], [model.tensor((1, 12), 1e-4, dtype="int16")])
    output = model.operator("DEQUANTIZE", [inner], [model.tensor((1, 12), dtype="float32")])
    path = model.save(tmp_path / "ends.tflite", [source], [output])
    inputs = rng.normal(0, 1, (4, 90)).astype(np.float32)
    inputs[0, :4] = [100, -100, 5e-5, -5e-5]
    export_c(path, tmp_path / "project", "host")
    run = run_c_project(tmp_path / "project", inputs, flags=("-O1",))
    np.testing.assert_array_equal(run.outputs, reference(path, inputs))


def elements(cases, scale):
    """Every operator without weights, of a large and a small input scale."""
    for kind in ("LOGISTIC", "TANH"):
        cases.output(kind, [cases.input((1, 2000), scale)], (1, 2000), 1 / 32768)
    for depth in (1, 7, 100):
        inputs = [cases.input((3, depth), scale)]
        cases.output("SOFTMAX", inputs, (3, depth), 1 / 32768, beta=1.0)
    for kind in ("RELU", "RELU6"):
        cases.output(kind, [cases.input((1, 300), scale)], (1, 300), 1.7e-4)
    for kind in ("ADD", "SUB", "MUL"):
        options = {} if kind == "MUL" else {"potScaleInt16": False}
        for a, b in (((2, 3, 4), (2, 3, 4)), ((4,), (2, 3, 4)), ((2, 3, 4), (2, 1, 4))):
            inputs = [cases.input(a, scale), cases.input(b, 1.3e-4)]
            cases.output(
                kind, inputs, (2, 3, 4), 2e-4, fusedActivationFunction=RELU6, **options
            )  # fmt: skip
    axes = cases.model.tensor((2,), data=[1, 2], dtype="int32")
    cases.output("MEAN", [cases.input((2, 5, 6, 3), scale), axes], (2, 3), 1.1e-4)


def test_elements_match_the_reference(tmp_path):
    cases = Cases(seed=5)
    for scale in (1e-4, 2**-12, 3e-5, 7.7e-4):
        elements(cases, scale)
    cases.check(tmp_path)


@needs_qemu
def test_elements_on_a_cortex_m(tmp_path):
    cases = Cases(seed=6)
    elements(cases, 1e-4)
    cases.check(tmp_path, "cortex-m4")


def test_biases_of_32_bits_match_the_reference(tmp_path):
    cases = Cases(seed=7)
    for rows, cols in ((5, 7), (9, 60)):
        values = cases.rng.integers(-(2**20), 2**20, rows)
        bias = cases.model.tensor((rows,), 1e-6, 0, values, "int32")
        inputs = [cases.input((1, cols)), cases.weights((rows, cols), 0.5), bias]
        cases.output("FULLY_CONNECTED", inputs, (1, rows), 3e-3, quantizedBiasType=2)
        kernel = cases.weights((rows, 3, 2, 4), 0.5, 0, rows)
        inputs = [cases.input((1, 6, 5, 4)), kernel, bias]
        options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
        cases.output("CONV_2D", inputs, (1, 6, 5, rows), 2e-4, quantizedBiasType=2, **options)
    cases.check(tmp_path)


@needs_qemu
def test_convolutions_on_a_cortex_m(tmp_path):
    cases = Cases(seed=3)
    convolutions(cases, 0.8)
    cases.check(tmp_path, "cortex-m4")


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"zero_point": 3}, "zero point 0"),
        ({"zero_point": []}, "zero point 0"),
        ({"bias": "float32"}, "INT64 or INT32 values"),
        ({"scale": 1e-9}, "above 128"),
    ],
)
def test_what_is_not_16x8_is_refused(tmp_path, change, reason):
    model, rng = Model(), np.random.default_rng(4)
    source = model.tensor((1, 4, 4, 2), 1e-4, change.get("zero_point", 0), dtype="int16")
    weights = model.tensor((3, 1, 1, 2), 0.01, 0, random_int8(rng, (3, 1, 1, 2)))
    bias = model.tensor((3,), 1e-6, 0, [1, 2, 3], change.get("bias", "int64"))
    output = model.tensor((1, 4, 4, 3), change.get("scale", 1e-4), dtype="int16")
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    model.operator("CONV_2D", [source, weights, bias], [output], **options)
    path = model.save(tmp_path / "model.tflite", [source], [output])
    with pytest.raises(ValueError, match=reason) as refusal:
        export_c(path, tmp_path / "project", "host")
    assert "Received:" in str(refusal.value)


def test_a_converted_network_matches_the_reference(tmp_path):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("The converter takes models of the TensorFlow backend.")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((9, 8, 3)),
        layers.Conv2D(6, 3, strides=2, padding="same", activation="relu"),
        layers.DepthwiseConv2D(3, padding="same", activation="relu6"),
        layers.Conv2D(8, 1),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(12, activation="relu"),
        layers.Dense(4),
    ])  # fmt: skip
    data = np.random.default_rng(0).normal(size=(16, 9, 8, 3)).astype(np.float32)
    export_saved_model(fixed_batch(model), tmp_path / "saved")
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(tmp_path / "saved"), signature_keys=["serving_default"]
    )
    wide = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, wide)]
    converter.representative_dataset = lambda: ([sample[None]] for sample in data)
    (tmp_path / "model.tflite").write_bytes(converter.convert())
    export_c(tmp_path / "model.tflite", tmp_path / "project", "host")
    run = run_c_project(tmp_path / "project", data.reshape(16, -1), flags=("-O1",))
    np.testing.assert_array_equal(run.outputs, reference(tmp_path / "model.tflite", data))
    expected = keras.ops.convert_to_numpy(model(data[:1]))[0]
    np.testing.assert_allclose(run.outputs[0], expected, atol=0.05 * np.abs(expected).max())
