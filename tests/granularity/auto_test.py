import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_prune as kp
from keras_prune.granularity import GRANULARITIES, TARGETS, auto, kernel_speeds
from keras_prune.weights import find_weights
from tests.small_models import ZeroProbe

layers = keras.layers
PROCESSORS = [name for name in TARGETS if name.startswith("cortex")]
MACHINES = ["x86-avx512", "x86-avx2", "aarch64"]


def network():
    """Layers of every kind: first, 3x3, depthwise, grouped, 1x1, transposed, wide and narrow."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(16, 3, name="first"),
            layers.Conv2D(32, 3, name="window", activation="relu"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.Conv2D(64, 3, groups=4, name="groups"),
            layers.Conv2D(64, 1, name="pointwise", activation="relu"),
            layers.Conv2DTranspose(20, 2, name="transposed"),
            layers.SeparableConv2D(24, 3, name="separable"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(128, name="wide", activation="relu"),
            layers.Dense(300, name="ragged", activation="relu"),
            layers.Dense(10, name="narrow"),
        ],
        name="network",
    )


def built(layer, *shape):
    layer.build((None, *shape))
    return layer


def arrays(model):
    return {w.path: np.array(keras.ops.convert_to_numpy(w.variable)) for w in find_weights(model)}


def layer_of(report, name):
    (line,) = [line for line in report.weights if f"/{name}/" in line.path]
    return line


def assert_shaped(weight, values):
    """Every unit of the shape that was chosen is zero as a whole, or in windows as sparse."""
    keep = weight.to_view(values != 0.0)
    shape = weight.granularity
    if isinstance(shape, kp.Block):
        for row in range(0, keep.shape[0], shape.r):
            for column in range(0, keep.shape[2], shape.c):
                block = keep[row : row + shape.r, :, column : column + shape.c]
                assert (block.all(axis=(0, 2)) == block.any(axis=(0, 2))).all()
    if isinstance(shape, kp.NM):
        groups = keep[..., :: shape.block]
        for start in range(0, groups.shape[2] - shape.m + 1, shape.m):
            assert (groups[..., start : start + shape.m].sum(-1) == shape.n).all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("quantize", [None, "int8"])
@pytest.mark.parametrize("sparsity", [0.5, 0.8, 0.95])
def test_what_is_asked_is_achieved_in_every_layer(target, quantize, sparsity):
    model = network()
    pruner = kp.Pruner(sparsity, granularity="auto", target=target, quantize=quantize)
    report = pruner.prune(model)
    assert report.reached
    after = arrays(model)
    for weight, line in zip(pruner.weights, report.weights, strict=True):
        if line.skip:
            assert "depthwise" in line.skip and line.granularity is None
            continue
        assert line.note and line.granularity == repr(weight.granularity)
        # n of every m ends at the first whole number beyond what was asked.
        below = (line.asked - line.achieved) * line.size
        above = line.size / 32 if isinstance(weight.granularity, kp.NM) else line.slack
        assert -above - 1e-6 <= below <= line.slack + 1e-6
        assert_shaped(weight, after[weight.path])


@pytest.mark.all_backends
@pytest.mark.parametrize(
    ("target", "quantize"), [("x86-avx512", None), ("x86-avx512", "int8"), ("cortex-m4", None)]
)
def test_shapes_hold_from_the_first_zero_to_the_last(target, quantize):
    model = network()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).normal(size=(32, 12, 12, 3)).astype("float32")
    y = np.arange(32) % 10
    probe = ZeroProbe()
    callback = kp.PruneCallback(0.9, granularity="auto", target=target, quantize=quantize)
    model.fit(x, y, epochs=3, batch_size=16, callbacks=[callback, probe], verbose=0)
    assert callback.report.reached
    after = arrays(model)
    for weight in callback.pruner.weights:
        if weight.skip is None:
            assert_shaped(weight, after[weight.path])


@pytest.mark.parametrize(
    ("target", "quantize", "sparsity", "wide", "window", "pointwise"),
    [
        ("x86-avx512", None, 0.8, kp.Block(16, 1), kp.Block(4, 1), kp.Block(4, 1)),
        ("x86-avx512", None, 0.9, kp.NM(3, 32), kp.Block(4, 1), kp.Block(4, 1)),
        ("x86-avx512", None, 0.95, kp.Block(16, 1), kp.Block(4, 1), kp.Block(4, 1)),
        ("x86-avx512", "int8", 0.8, kp.Block(16, 4), kp.Block(4, 4), kp.Block(2, 4)),
        ("x86-avx512", "int8", 0.95, kp.Block(16, 4), kp.Block(4, 4), kp.Block(2, 4)),
        ("x86-avx2", "int8", 0.9, kp.Block(16, 4), kp.Block(4, 4), kp.Block(2, 4)),
        ("x86-avx2", None, 0.9, kp.Block(16, 1), kp.Block(4, 1), kp.Block(4, 1)),
        ("aarch64", None, 0.9, kp.Block(16, 1), kp.Block(4, 1), kp.Block(4, 1)),
        ("aarch64", "int8", 0.9, kp.Block(16, 4), kp.Block(1, 4), kp.Block(1, 4)),
        ("cortex-m4", None, 0.9, kp.Block(1, 4), kp.Unstructured(), kp.Unstructured()),
        ("cortex-m4", "int8", 0.9, kp.Block(1, 4), kp.Unstructured(), kp.Unstructured()),
        ("cortex-m55", "int8", 0.9, kp.Block(1, 4), kp.Block(1, 4), kp.Block(1, 4)),
        ("cortex-m3", "int8", 0.9, kp.Unstructured(), kp.Unstructured(), kp.Unstructured()),
        ("hexagon", "int8", 0.9, kp.Unstructured(), kp.Block(1, 4), kp.Block(1, 4)),
    ],
)
def test_one_layer(target, quantize, sparsity, wide, window, pointwise):
    def ask(layer):
        return kp.granularity_for(target, layer, sparsity, quantize)

    assert ask(built(layers.Dense(256), 1024)) == wide
    assert ask(built(layers.Conv2D(64, 3), 8, 8, 64)) == window
    assert ask(built(layers.Conv2D(64, 1), 8, 8, 64)) == pointwise
    assert ask(built(layers.Conv1D(64, 3), 8, 64)) == window
    assert ask(built(layers.SeparableConv2D(64, 3), 8, 8, 64)) == pointwise


def test_the_host_is_a_target():
    auto = kp.Auto("host", "int8")
    assert auto.target in TARGETS and not auto.target.startswith("cortex")
    assert kp.Auto.from_config(auto.get_config()).target == auto.target


def test_the_margin_trades_speed_for_accuracy():
    dense = built(layers.Dense(256), 1024)
    found = [kp.granularity_for("x86-avx512", dense, 0.9, "int8", m) for m in (0.0, 0.25, 0.3, 0.5)]
    assert found == [kp.Block(16, 4), kp.NM(3, 32, block=4), kp.NM(12, 128), kp.Unstructured()]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("first", "too few input channels for blocks: 3"),
        ("transposed", "runs no shape of it faster: Conv2DTranspose"),
        ("narrow", "too small for blocks: 10 outputs by 300 inputs"),
    ],
)
def test_the_report_says_why_a_layer_takes_single_weights(name, reason):
    report = kp.prune(network(), 0.8, granularity="auto", target="x86-avx512")
    line = layer_of(report, name)
    assert line.granularity == "Unstructured()" and reason in line.note
    assert line.achieved == pytest.approx(0.8, abs=0.01)


def test_blocks_stay_within_the_groups_of_a_convolution():
    def ask(outputs, groups, target="x86-avx512", quantize=None):
        layer = built(layers.Conv2D(outputs, 3, groups=groups), 8, 8, 64)
        return kp.granularity_for(target, layer, 0.9, quantize)

    assert ask(64, 4) == kp.Block(4, 1) and ask(64, 16, quantize="int8") == kp.Block(2, 4)
    assert ask(24, 4) == kp.Unstructured()  # six outputs in a group
    assert ask(24, 4, quantize="int8") == kp.Block(2, 4)
    assert ask(64, 32, quantize="int8") == kp.Unstructured()  # two inputs
    assert ask(64, 4, "aarch64") == kp.Unstructured()
    report = kp.prune(network(), 0.8, granularity="auto", target="cortex-m4")
    assert layer_of(report, "groups").note == (
        "no shape of it was measured on cortex-m4: grouped convolution"
    )


def test_sizes_that_fill_no_block_take_single_weights():
    found = kp.granularity_for("x86-avx512", built(layers.Conv2D(5, 3), 8, 8, 9), 0.8, "int8")
    assert found == kp.Unstructured()
    model = keras.Sequential([keras.Input((8, 8, 9)), layers.Conv2D(5, 3)])
    report = kp.prune(model, 0.8, granularity=kp.Auto("x86-avx512", "int8"))
    assert report.weights[0].note == "do not fill 2x4 or 4x4: 5 outputs by 9 inputs"


def test_a_depthwise_kernel_that_is_named_takes_single_weights():
    model = network()
    report = kp.prune(model, 0.5, granularity="auto", target="aarch64", filters=["depthwise"])
    assert layer_of(report, "depthwise").granularity == "Unstructured()"
    found = kp.granularity_for("aarch64", model.get_layer("depthwise"))
    assert found == kp.Unstructured()


def test_recurrent_layers_and_embeddings_take_single_weights():
    lstm = built(layers.LSTM(64), 5, 64)
    assert kp.granularity_for("x86-avx512", lstm) == kp.Unstructured()
    assert kp.granularity_for("cortex-m4", built(layers.Embedding(50, 64))) == kp.Unstructured()


@given(
    st.sampled_from(TARGETS),
    st.sampled_from([None, "int8"]),
    st.floats(0.0, 0.99),
    st.integers(1, 400),
    st.integers(1, 400),
)
def test_every_dense_layer_has_a_shape_that_reaches_its_sparsity(
    target, quantize, sparsity, inputs, outputs
):
    layer = built(layers.Dense(outputs), inputs)
    found = kp.granularity_for(target, layer, sparsity, quantize)
    if isinstance(found, kp.NM):
        assert found.made(-(-inputs // found.block)) >= sparsity - 1e-6
        assert found.n / found.m >= auto._LEAST_KEPT * (1.0 - sparsity)
    elif isinstance(found, kp.Block):
        assert inputs % found.c == 0
        assert -(-outputs // found.r) * found.r <= (1.0 + auto._MOST_PADDING) * outputs
    else:
        assert found == kp.Unstructured()


def test_a_table_decides_the_windows_of_each_layer():
    table = kp.PerLayer({"wide": 0.9, "ragged": 0.8}, default=0.5)
    model = keras.Sequential(
        [
            keras.Input((1024,)),
            layers.Dense(256, name="wide"),
            layers.Dense(256, name="ragged"),
            layers.Dense(256, name="other"),
        ]
    )
    windows = kp.Auto("x86-avx512", margin=0.5)
    report = kp.prune(model, None, allocation=table, granularity=windows)
    shapes = [line.granularity for line in report.weights]
    assert shapes == ["NM(3, 32)", "NM(6, 32)", "NM(16, 32)"]
    assert report.reached


@pytest.mark.parametrize(
    "allocation", ["global", "erk", kp.Threshold(0.5), kp.Threshold(-1.0, "mean", of="scores")]
)
def test_allocations_share_among_shapes(allocation):
    model = network()
    pruner = kp.Pruner(0.8, allocation=allocation, granularity=kp.Auto("x86-avx512", "int8"))
    report = pruner.prune(model)
    assert report.reached
    after = arrays(model)
    for weight in pruner.weights:
        if weight.skip is None:
            assert weight.aim is not None or not isinstance(weight.granularity, kp.NM)
            assert_shaped(weight, after[weight.path])


@pytest.mark.parametrize("regrowth", ["ste", "set"])
def test_regrowth_keeps_the_shapes(regrowth):
    model = network()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).normal(size=(32, 12, 12, 3)).astype("float32")
    callback = kp.PruneCallback(
        0.8, granularity="auto", target="x86-avx512", regrowth=regrowth, seed=0
    )
    model.fit(x, np.arange(32) % 10, epochs=3, batch_size=16, callbacks=[callback], verbose=0)
    store = callback.pruner.store
    for weight, keep in zip(store.weights, store.keep, strict=True):
        assert regrowth == "ste" or not isinstance(weight.granularity, kp.NM)
        assert_shaped(weight, keep)


def two_layers():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((128,)), layers.Dense(64, name="dense"), layers.Dense(10)]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def noise():
    random = np.random.default_rng(0)
    return random.normal(size=(32, 128)).astype("float32"), random.integers(0, 10, 32)


def test_an_interrupted_training_goes_on_to_the_same_masks(tmp_path):
    def callback():
        return kp.PruneCallback(0.9, granularity="auto", target="x86-avx512")

    x, y = noise()
    whole = two_layers()
    arguments = {"batch_size": 16, "shuffle": False, "verbose": 0}
    whole.fit(x, y, epochs=4, callbacks=[callback()], **arguments)

    model = two_layers()

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def fit(model, *more):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        callbacks = [backup, callback(), *more]
        model.fit(x, y, epochs=4, callbacks=callbacks, **arguments)

    with pytest.raises(KeyboardInterrupt):
        fit(model, Stop())
    again = two_layers()
    fit(again)
    for left, right in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(left == 0.0, right == 0.0)
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)


@pytest.mark.all_backends
def test_a_callback_and_a_pruner_are_made_again_from_their_configuration():
    callback = kp.PruneCallback(0.9, granularity="auto", target="cortex-m4", filters="dense")
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(callback)))
    again = keras.saving.deserialize_keras_object(config)
    assert isinstance(again, kp.PruneCallback)
    assert again.pruner.granularity == kp.Auto("cortex-m4")
    assert again.get_config() == callback.get_config()

    pruner = kp.Pruner(
        0.7, granularity=kp.Auto("aarch64", "int8", 0.3), data=noise(), criterion="taylor"
    )
    again = kp.Pruner.from_config(pruner.get_config(), data=noise())
    assert again.granularity == pruner.granularity and again.sparsity == 0.7
    assert GRANULARITIES.get(keras.saving.serialize_keras_object(pruner.granularity)) == (
        pruner.granularity
    )


def test_functions_are_in_no_configuration():
    pruner = kp.Pruner(0.7, filters=lambda layer: True)
    with pytest.raises(ValueError, match=r"no functions.*Received: filters="):
        pruner.get_config()


def test_rounds_prune_in_the_shapes_of_the_last():
    model = two_layers()

    def train(model, callbacks, round):
        model.fit(*noise(), callbacks=callbacks, verbose=0)

    windows = kp.Auto("x86-avx512", margin=0.5)
    report = kp.iterative_prune(model, train, sparsity=0.9, rounds=3, granularity=windows, seed=0)
    mask = next(iter(report.rounds[-1].masks.values()))  # (inputs, outputs)
    assert (mask.reshape(4, 32, 64).sum(1) == 3).all()
    kept = [next(iter(row.masks.values())).reshape(4, 32, 64).sum(1) for row in report.rounds]
    for counts in kept:
        assert (counts == counts[0, 0]).all()
    assert [counts[0, 0] for counts in kept] == sorted([c[0, 0] for c in kept], reverse=True)


def test_joint_pruning_takes_a_target():
    with pytest.raises(ValueError, match=r"`target`.*Received: target='vax'"):
        kp.joint_prune(
            two_layers(),
            lambda model, callbacks, round: None,
            winner_rates={"dense": 0.5},
            granularity="auto",
            target="vax",
            seed=0,
        )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"granularity": "auto"}, r"one of \['x86-avx512'.*Received: target=None"),
        ({"granularity": "auto", "target": "z80"}, r"'hexagon'\]. Received: target='z80'"),
        ({"granularity": "auto", "target": ["a"]}, r"Received: target=\['a'\]"),
        (
            {"granularity": "auto", "target": "aarch64", "quantize": "dynamic"},
            r'float32 file, or "int8". Received: quantize=\'dynamic\'',
        ),
        ({"target": "aarch64"}, r"take neither. Received: granularity='unstructured'"),
        ({"granularity": "1x4", "quantize": "int8"}, r"take neither. Received: granularity='1x4'"),
        (
            {"granularity": kp.Auto("aarch64"), "target": "aarch64"},
            r"take neither. Received: granularity=Auto",
        ),
        ({"granularity": "auto", "target": "aarch64", "regrowth": "dns"}, "single weights"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    sparsity = {} if "regrowth" in arguments else {"sparsity": 0.8}
    for make in (kp.Pruner, kp.PruneCallback):
        with pytest.raises(ValueError, match=sentence):
            make(**sparsity, **arguments)
    if "regrowth" not in arguments:
        with pytest.raises(ValueError, match=sentence):
            kp.prune(network(), 0.8, **arguments)


def test_wrong_layers_get_a_sentence():
    with pytest.raises(ValueError, match=r"that is built. Received: layer=<Dense"):
        kp.granularity_for("aarch64", layers.Dense(3))
    with pytest.raises(ValueError, match=r"that is built. Received: layer=dense"):
        kp.granularity_for("aarch64", "dense")
    with pytest.raises(ValueError, match=r"no kernel.*type BatchNormalization"):
        kp.granularity_for("aarch64", built(layers.BatchNormalization(), 3))
    with pytest.raises(ValueError, match=r"ask for each of its sublayers. Received: layer=network"):
        kp.granularity_for("x86-avx512", network())
    with pytest.raises(ValueError, match=r"`margin`.*Received: margin=1"):
        kp.Auto("aarch64", margin=1)


def test_penalties_want_the_shape_itself():
    with pytest.raises(ValueError, match=r"name the shape itself. Received: granularity=Auto"):
        kp.GroupLasso(kp.Auto("aarch64"))


def test_the_figures_are_whole():
    for target, types in kernel_speeds.SPEEDS.items():
        assert set(types) == ({"float32", "int8"} if target in MACHINES else {"int8"})
        for kinds in types.values():
            for speeds in kinds.values():
                assert speeds, target
                for speed in speeds:
                    assert len(speed.speeds) == len(kernel_speeds.COLUMNS)
                    assert (speed.stored is None) == (target in MACHINES)
                    assert auto.shape_of(speed.shape, 1024, 0.8) is not None
    # What the guide for microcontrollers publishes.
    from benchmarks import results

    rows = results.load("dense_layers_mcu")["results"]
    assert {"cortex-m4", "cortex-m3", "cortex-m0"} <= set(rows[0]) and PROCESSORS
