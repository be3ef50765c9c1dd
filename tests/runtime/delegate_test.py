import pathlib
import re
import subprocess

import keras
import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from keras_prune.export.flatbuffer import read_model, serialize_model
from keras_prune.runtime import native
from keras_prune.runtime.delegate import load_delegate
from tests.runtime.delegate_models import CONV_LAYOUTS, LAYOUTS, Layer, build, random_weights

pytestmark = pytest.mark.skipif(
    not native.library_path().exists(), reason="The compiled library has not been built."
)

DTYPES = ("float32", "int8")


def run(interpreter, x):
    source = interpreter.get_input_details()[0]
    if list(source["shape"]) != list(x.shape):
        interpreter.resize_tensor_input(source["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], x)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def reference(content, x):
    kind = OpResolverType.BUILTIN_REF
    return run(Interpreter(model_content=content, experimental_op_resolver_type=kind), x)


def delegated(content, x, num_threads=1, others=OpResolverType.AUTO, **options):
    """Outputs with the delegate; `others` are the kernels for what it does not take."""
    delegate = load_delegate(runtime="litert", **{"min_sparsity": 0, **options})
    interpreter = Interpreter(
        model_content=content,
        experimental_delegates=[delegate],
        experimental_op_resolver_type=others,
        num_threads=num_threads,
    )
    return run(interpreter, x)


def assert_same(outputs, expected):
    """int8 to the bit, float32 to 1e-5 of the largest output."""
    for got, want in zip(outputs, expected, strict=True):
        if want.dtype == np.float32:
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())
        else:
            np.testing.assert_array_equal(got, want)


def random_input(shape, dtype, seed=1):
    random = np.random.default_rng(seed)
    if dtype == "int8":
        return random.integers(-128, 128, shape, dtype=np.int8)
    return random.normal(size=shape).astype(np.float32)


def random_bias(channels, dtype, seed=2):
    random = np.random.default_rng(seed)
    if dtype == "int8":
        return random.integers(-3000, 3000, channels, dtype=np.int32)
    return random.normal(size=channels).astype(np.float32)


def claims(capfd):
    """The lines that `verbose` printed: {node: line}."""
    lines = re.findall(r"keras_prune: node (\d+) (.*)", capfd.readouterr().err)
    return {int(node): line for node, line in lines}


def fully_connected(dtype, **changes):
    weights = random_weights((40, 64), dtype)
    return Layer(weights, (1, 64), random_bias(40, dtype), **changes)


def conv2d(dtype, kernel=(3, 3), **changes):
    weights = random_weights((20, *kernel, 8), dtype)
    return Layer(weights, (1, 9, 10, 8), random_bias(20, dtype), **changes)


def depthwise(kernel=(3, 3), channels=24, multiplier=1, size=(9, 10), **changes):
    weights = random_weights((1, *kernel, channels * multiplier), "int8", density=1.0)
    bias = random_bias(channels * multiplier, "int8")
    return Layer(weights, (1, *size, channels), bias, depthwise=True, **changes)


def check(layer, capfd, taken=True):
    """The layer's outputs are those of the dense layer in the reference kernels."""
    dtype = layer.weights.dtype.name
    x = random_input(layer.input_shape, dtype)
    plain = Layer(**{**vars(layer), "form": "dense", "weights_are_output": False})
    expected = reference(build(plain), x)
    outputs = delegated(build(layer), x, verbose=True)
    lines = claims(capfd)
    assert [line for line in lines.values() if line.startswith("claimed")] or not taken, lines
    assert_same(outputs[: len(expected)], expected)
    return lines


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["densify", "direct"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_fully_connected_forms(dtype, form, layout, capfd):
    check(fully_connected(dtype, form=form, layout=LAYOUTS[layout]), capfd)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["densify", "direct"])
@pytest.mark.parametrize("layout", CONV_LAYOUTS)
def test_conv2d_forms(dtype, form, layout, capfd):
    check(conv2d(dtype, form=form, layout=CONV_LAYOUTS[layout]), capfd)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_conv2d_geometry(dtype, padding, stride, dilation, capfd):
    check(conv2d(dtype, padding=padding, stride=stride, dilation=dilation), capfd)
    check(conv2d(dtype, kernel=(1, 1), padding=padding, stride=stride), capfd)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", [0, 1, 2, 3])
@pytest.mark.parametrize("make", [fully_connected, conv2d])
def test_activations(dtype, activation, make, capfd):
    check(make(dtype, activation=activation), capfd)


@pytest.mark.parametrize("make", [fully_connected, conv2d])
@pytest.mark.parametrize("zero_points", [(-128, 127), (127, -128), (0, 0)])
@pytest.mark.parametrize("per_tensor", [False, True])
def test_quantization(make, zero_points, per_tensor, capfd):
    first, last = zero_points
    check(
        make("int8", input_zero_point=first, output_zero_point=last, per_tensor=per_tensor), capfd
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_bias_and_extreme_weights(dtype, capfd):
    weights = random_weights((24, 48), dtype)
    weights[3] = 0
    weights[5] = -128 if dtype == "int8" else 1e4
    check(Layer(weights, (2, 48)), capfd)
    check(Layer(np.zeros_like(weights), (2, 48)), capfd)


# Groups, input and output channels of one: no vector, no block and no quad ends with a group.
GROUPS = [(2, 4, 8), (4, 3, 5), (3, 8, 1), (8, 1, 2), (16, 4, 4), (2, 10, 33)]


def grouped(dtype, groups, own, outputs, kernel=(3, 3), batch=1, **changes):
    weights = random_weights((groups * outputs, *kernel, own), dtype)
    bias = random_bias(groups * outputs, dtype)
    return Layer(weights, (batch, 9, 10, groups * own), bias, **changes)


def in_groups(dtype, **changes):
    return grouped(dtype, 3, 8, 4, **changes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", [(3, 3), (1, 1), (2, 5)])
@pytest.mark.parametrize("sizes", GROUPS)
def test_grouped_channels(dtype, kernel, sizes, capfd):
    check(grouped(dtype, *sizes, kernel=kernel), capfd)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1), (2, 2)])
def test_grouped_geometry(dtype, padding, stride, dilation, capfd):
    changes = {"padding": padding, "stride": stride, "dilation": dilation, "activation": 1}
    check(grouped(dtype, 4, 8, 6, **changes), capfd)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", ["densify", "direct"])
@pytest.mark.parametrize("layout", CONV_LAYOUTS)
def test_grouped_forms(dtype, form, layout, capfd):
    lines = check(in_groups(dtype, form=form, layout=CONV_LAYOUTS[layout]), capfd)
    assert ("with its DENSIFY" in str(lines)) == (form == "densify")


@pytest.mark.parametrize("zero_points", [(-128, 127), (0, 0)])
@pytest.mark.parametrize("per_tensor", [False, True])
def test_grouped_quantization(zero_points, per_tensor, capfd):
    of_input, of_output = zero_points
    changes = {"input_zero_point": of_input, "output_zero_point": of_output}
    check(grouped("int8", 5, 4, 3, per_tensor=per_tensor, **changes), capfd)


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_between_groups_do_not_count(dtype, capfd):
    layer = grouped(dtype, 4, 4, 4)
    layer.weights[:] = 1
    assert "(0.0 % zeros" in check(layer, capfd)[0]
    layer.weights[:8] = 0
    assert "(50.0 % zeros" in check(layer, capfd)[0]
    layer.weights[:] = 0
    assert "(100.0 % zeros" in check(layer, capfd)[0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_grouped_batches_and_threads(dtype):
    weights = random_weights((64, 3, 3, 16), dtype)
    layer = Layer(weights, (1, 40, 40, 64), random_bias(64, dtype))
    for batch in (1, 3):
        x = random_input((batch, 40, 40, 64), dtype)
        expected = reference(build(layer), x)
        for threads in (1, 4):
            assert_same(delegated(build(layer), x, num_threads=threads), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_grouped_layers_are_claimed_where_they_win(dtype, capfd):
    for density, word in ((0.05, "claimed"), (1.0, "the stock kernel is expected to be faster")):
        weights = random_weights((128, 3, 3, 32), dtype, density)
        content = build(Layer(weights, (1, 28, 28, 128), random_bias(128, dtype)))
        delegate = load_delegate(runtime="litert", verbose=True)
        Interpreter(model_content=content, experimental_delegates=[delegate]).allocate_tensors()
        assert word in claims(capfd)[0]


@pytest.mark.parametrize("padding", [0, 1])  # SAME, VALID
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 1), (1, 3)])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (1, 4)])
def test_depthwise_geometry(kernel, stride, padding, capfd):
    check(depthwise(kernel, padding=padding, stride=stride), capfd)


@pytest.mark.parametrize("channels", [1, 7, 16, 40, 64, 100])
@pytest.mark.parametrize("multiplier", [1, 3])
def test_depthwise_channels(channels, multiplier, capfd):
    check(depthwise(channels=channels, multiplier=multiplier), capfd)


@pytest.mark.parametrize("changes", [{"dilation": (2, 2)}, {"dilation": (2, 1)}, {"activation": 1}])
@pytest.mark.parametrize("zero_points", [(-128, -128), (127, 127), (0, 3)])
@pytest.mark.parametrize("per_tensor", [False, True])
def test_depthwise_quantization(zero_points, per_tensor, changes, capfd):
    of_input, of_output = zero_points
    layer = depthwise(
        input_zero_point=of_input, output_zero_point=of_output, per_tensor=per_tensor, **changes
    )
    check(layer, capfd)


@pytest.mark.parametrize("threads", [1, 4])
def test_depthwise_threads_and_batches(threads):
    layer = depthwise(channels=200, size=(40, 41), stride=(2, 2))
    for batch in (1, 3):
        x = random_input((batch, 40, 41, 200), "int8")
        content = build(layer)
        assert_same(delegated(content, x, num_threads=threads), reference(content, x))


def test_depthwise_sparse_weights(capfd):
    layer = depthwise()
    layer.weights[np.random.default_rng(0).random(layer.weights.shape) < 0.8] = 0
    layer.form, layer.layout = "densify", CONV_LAYOUTS["csr"]
    lines = check(layer, capfd)
    assert "with its DENSIFY" in str(lines)


def test_depthwise_extreme_weights(capfd):
    layer = depthwise()
    layer.weights[:] = -128
    check(layer, capfd)


def test_depthwise_float_stays(capfd):
    layer = depthwise()
    layer.weights, layer.bias = layer.weights.astype(np.float32), layer.bias.astype(np.float32)
    lines = check(layer, capfd, taken=False)
    assert lines[0] == "declined: only int8 depthwise convolutions are supported"


@pytest.mark.parametrize("dtype", DTYPES)
def test_keep_num_dims(dtype, capfd):
    layer = fully_connected(dtype, keep_num_dims=True)
    layer.input_shape = (2, 3, 64)
    check(layer, capfd)


@pytest.mark.parametrize("dtype", DTYPES)
def test_densify_with_two_readers_stays(dtype, capfd):
    layer = fully_connected(dtype, form="densify", layout=LAYOUTS["csr"], readers=2)
    lines = check(layer, capfd)
    assert len(lines) == 2 and not any("DENSIFY" in line for line in lines.values())


@pytest.mark.parametrize("dtype", DTYPES)
def test_densify_that_is_a_model_output_stays(dtype, capfd):
    layer = fully_connected(dtype, form="densify", layout=LAYOUTS["csr"], weights_are_output=True)
    assert not any("DENSIFY" in line for line in check(layer, capfd).values())
    x = random_input(layer.input_shape, dtype)
    np.testing.assert_array_equal(delegated(build(layer), x)[1], layer.weights)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [fully_connected, conv2d])
def test_resized_batch_and_threads(dtype, make):
    content = build(make(dtype))
    layer = make(dtype)
    x = random_input((3, *layer.input_shape[1:]), dtype)
    expected = reference(content, x)
    assert_same(delegated(content, x), expected)
    assert_same(delegated(content, x, num_threads=2), expected)
    assert_same(delegated(content, x, **{"num_threads": 3}), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_on_a_large_layer(dtype):
    weights = random_weights((64, 3, 3, 32), dtype)
    layer = Layer(weights, (2, 40, 40, 32), random_bias(64, dtype))
    x = random_input(layer.input_shape, dtype)
    expected = reference(build(layer), x)
    delegate = load_delegate(runtime="litert", min_sparsity=0, num_threads=4)
    interpreter = Interpreter(model_content=build(layer), experimental_delegates=[delegate])
    for _ in range(20):
        assert_same(run(interpreter, x), expected)


def test_declines_what_it_does_not_know(capfd):
    x = random_input((1, 64), "float32")
    hybrid = fully_connected("float32")
    content = build(hybrid)
    delegated(content, x, verbose=True)
    assert "claimed" in claims(capfd)[0]

    zero_point = build(fully_connected("int8", weight_zero_point=3, per_tensor=True))
    delegated(zero_point, random_input((1, 64), "int8"), verbose=True)
    assert "declined: its weights have a zero point" in claims(capfd)[0]


@pytest.fixture(scope="session")
def converted():
    """Models of the official converter: {name: (content, input)}."""
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3), batch_size=1),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.Conv2D(24, 1, activation="relu6"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(10),
        ]
    )
    random = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) > 1:
            weight.assign(weight.numpy() * (random.random(weight.shape) < 0.2))
    samples = [random_input((1, 16, 16, 3), "float32", seed) for seed in range(4)]
    models = {}
    for name in ("float32", "int8", "dynamic"):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if name != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if name == "int8":
            converter.representative_dataset = lambda: ([x] for x in samples)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        x = random_input((1, 16, 16, 3), "int8" if name == "int8" else "float32")
        models[name] = (converter.convert(), x)
    return models


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
@pytest.mark.parametrize("name", ["float32", "int8"])
def test_converted_model(converted, name, capfd):
    content, x = converted[name]
    outputs = delegated(content, x, others=OpResolverType.BUILTIN_REF, verbose=True)
    lines = claims(capfd)
    taken = 5 if name == "int8" else 4  # of depthwise layers only those
    assert sum(line.startswith("claimed") for line in lines.values()) == taken, lines
    assert_same(outputs, reference(content, x))


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_hybrid_layers_stay(converted, capfd):
    content, x = converted["dynamic"]
    expected = run(Interpreter(model_content=content), x)
    outputs = delegated(content, x, verbose=True)
    lines = claims(capfd)
    assert lines and any("it is hybrid" in line for line in lines.values()), lines
    np.testing.assert_allclose(outputs[0], expected[0], rtol=1e-3, atol=1e-3)


def test_int8_densify_fully_connected_is_always_claimed(capfd):
    layer = fully_connected("int8", form="densify", layout=LAYOUTS["csr"])
    x = random_input(layer.input_shape, "int8")
    delegated(build(layer), x, min_sparsity=1, verbose=True)
    assert "claimed with its DENSIFY" in claims(capfd)[1]


def test_min_sparsity_declines(capfd):
    content = build(fully_connected("float32"))
    delegated(content, random_input((1, 64), "float32"), min_sparsity=0.99, verbose=True)
    assert "it is less sparse than min_sparsity (8" in claims(capfd)[0]


def test_dense_weights_are_left_to_the_interpreter(capfd):
    layer = Layer(np.ones((64, 64), np.float32), (1, 64))
    delegate = load_delegate(runtime="litert", verbose=True)
    Interpreter(model_content=build(layer), experimental_delegates=[delegate]).allocate_tensors()
    assert "the stock kernel is expected to be faster" in claims(capfd)[0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_very_sparse_weights_are_claimed(dtype, capfd):
    weights = random_weights((1024, 1024), dtype, density=0.05)
    delegate = load_delegate(runtime="litert", verbose=True)
    content = build(Layer(weights, (1, 1024)))
    Interpreter(model_content=content, experimental_delegates=[delegate]).allocate_tensors()
    assert "claimed" in claims(capfd)[0]


def test_tensorflow_runtime():
    tf = pytest.importorskip("tensorflow")
    for dtype in DTYPES:
        for layer in (
            fully_connected(dtype, form="densify", layout=LAYOUTS["1x4"]),
            conv2d(dtype, form="densify", layout=CONV_LAYOUTS["csr"]),
            in_groups(dtype, form="densify", layout=CONV_LAYOUTS["csr"]),
        ):
            x = random_input(layer.input_shape, dtype)
            delegate = load_delegate(runtime="tensorflow", min_sparsity=0)
            interpreter = tf.lite.Interpreter(
                model_content=build(layer), experimental_delegates=[delegate]
            )
            plain = Layer(**{**vars(layer), "form": "dense"})
            assert_same(run(interpreter, x), reference(build(plain), x))


def test_tflite_runtime_2_14(tflite_runtime_python, tmp_path):
    makers = ((fully_connected, LAYOUTS), (conv2d, CONV_LAYOUTS), (in_groups, CONV_LAYOUTS))
    expected = {}
    for dtype in DTYPES:
        for make, layouts in makers:
            for form in ("dense", "densify", "direct"):
                layer = make(dtype, form=form, layout=layouts["csr"])
                name = f"{make.__name__}_{dtype}_{form}"
                x = random_input((3, *layer.input_shape[1:]), dtype)
                (tmp_path / f"{name}.tflite").write_bytes(build(layer))
                np.save(tmp_path / f"{name}.npy", x)
                plain = Layer(**{**vars(layer), "form": "dense"})
                expected[name] = reference(build(plain), x)
    worker = pathlib.Path(__file__).with_name("old_runtime_worker.py")
    command = [tflite_runtime_python, worker, native.library_path(), tmp_path]
    subprocess.run(command, check=True, timeout=120)
    for name, outputs in expected.items():
        assert_same([np.load(tmp_path / f"{name}.out.npy")], outputs)


def zeroed(path, share=0.8):
    """The file with the smallest weights of every FULLY_CONNECTED and CONV_2D set to zero."""
    model = read_model(path)
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) not in (3, 9):
            continue
        tensor = model.subgraphs[0].tensors[operator.inputs[1]]
        buffer = model.buffers[tensor.buffer]
        dtype = {0: np.float32, 9: np.int8}[tensor.type]
        weights = np.frombuffer(bytes(bytearray(buffer.data)), dtype).copy()
        size = np.abs(weights.astype(np.float32))
        weights[size <= np.quantile(size, share)] = 0
        buffer.data = np.frombuffer(weights.tobytes(), np.uint8)
    return serialize_model(model)


@pytest.mark.parametrize(
    "name", ["ic_resnet8_fp32", "ic_resnet8_int8", "ad01_fp32", "ad01_int8", "vww_mobilenet_int8"]
)
def test_published_models(data_dir, name, capfd):
    content = zeroed(data_dir / "models" / f"mlperf_{name}.tflite")
    source = Interpreter(model_content=content).get_input_details()[0]
    x = random_input(tuple(source["shape"]), np.dtype(source["dtype"]).name)
    expected = reference(content, x)
    outputs = delegated(content, x, others=OpResolverType.BUILTIN_REF, verbose=True)
    lines = claims(capfd)
    assert lines and all(line.startswith("claimed") for line in lines.values()), lines
    assert_same(outputs, expected)


@pytest.mark.parametrize(
    "options, sentence",
    [
        (
            {"treads": 2},
            "Unknown delegate option `treads`. Expected one of num_threads, min_sparsity, "
            "verbose, chains, tuning, tuning_cache. Received: treads=2",
        ),
        (
            {"num_threads": 0},
            "Invalid value for delegate option `num_threads`. Expected an integer from 1 to 64. "
            "Received: num_threads=0",
        ),
        (
            {"min_sparsity": "much"},
            "Invalid value for delegate option `min_sparsity`. Expected a number from 0 to 1. "
            "Received: min_sparsity=much",
        ),
        (
            {"verbose": 2},
            "Invalid value for delegate option `verbose`. Expected true or false. "
            "Received: verbose=2",
        ),
        (
            {"tuning": "often"},
            "Invalid value for delegate option `tuning`. Expected true or false. "
            "Received: tuning=often",
        ),
        (
            {"tuning_cache": ""},
            "Invalid value for delegate option `tuning_cache`. Expected the path of a file. "
            "Received: tuning_cache=",
        ),
    ],
)
def test_bad_options(options, sentence):
    for runtime in ("litert", "tensorflow"):
        with pytest.raises(ValueError) as error:
            load_delegate(runtime=runtime, **options)
        assert str(error.value) == sentence


def test_bad_runtime():
    with pytest.raises(ValueError, match="Received: runtime='tvm'"):
        load_delegate(runtime="tvm")


def test_unbuilt_library_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "library_path", lambda: tmp_path / "absent.so")
    native.library.cache_clear()
    try:
        with pytest.raises(ImportError, match="The compiled library of keras_prune is missing"):
            load_delegate()
    finally:
        native.library.cache_clear()


def test_delegates_come_and_go():
    """Threads are joined and memory is given back each time."""
    content = build(conv2d("int8"))
    x = random_input((1, 9, 10, 8), "int8")
    outputs = [delegated(content, x, num_threads=2)[0] for _ in range(30)]
    assert all((output == outputs[0]).all() for output in outputs)
