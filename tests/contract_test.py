"""Every criterion, granularity, allocation and schedule keeps the same laws.

The cases come from the registries: a new class is tested as soon as it is registered, with
no arguments or with those that `ARGUMENTS` gives it.
"""

import functools
import inspect
import itertools

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keras_prune.allocation import ALLOCATIONS, PerLayer, Threshold, Uniform
from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import CRITERIA, FPGM, OBD, Magnitude, Random, Sensitivity, Taylor
from keras_prune.granularity import GRANULARITIES, NM, Auto, Block, Unstructured, Vector
from keras_prune.one_shot import prune
from keras_prune.registry import PACKAGE
from keras_prune.regrowth import DNS, REGROWTHS
from keras_prune.schedules import SCHEDULES, ConstantSparsity, PolynomialDecay
from keras_prune.weights import find_weights
from tests.small_models import ZeroProbe, kernels, zeros_of

pytestmark = [
    pytest.mark.all_backends,
    # Whole layers go here, and others keep one weight.
    pytest.mark.filterwarnings("ignore:Pruning has cut the model:UserWarning"),
]
layers = keras.layers

# Arguments for classes that need some, and for those with more than one way to work.
ARGUMENTS = {
    Auto: [{"target": "x86-avx512"}, {"target": "cortex-m4"}],
    NM: [{"n": 2, "m": 4}, {"n": 1, "m": 2, "block": 2}],
    Block: [{"r": 1, "c": 4}, {"r": 2, "c": 2}],
    Vector: [{"along": "row"}, {"along": "column"}],
    Threshold: [{}, {"c": 0.5, "center": "mean", "of": "scores"}],
    PerLayer: [{"table": {"window": 0.5, "hidden": 0.9, "logits": 0.25}}],
    Sensitivity: [{"reduction": "gradients"}, {"reduction": "scores"}],
    Taylor: [{"reduction": "scores"}, {"reduction": "gradients"}],
    FPGM: [{}, {"norm_rate": 0.75}],
    OBD: [{"seed": 0}],
    Random: [{"seed": 0}],
    DNS: [{"c": 1.0}],  # the default is for trained kernels, whose magnitudes have long tails
}


def objects(registry):
    """One object of every class in the package that users may pass, or several."""
    registered = keras.saving.get_custom_objects().items()
    classes = [cls for name, cls in sorted(registered) if name.startswith(f"{PACKAGE}>")]
    own = [cls for cls in classes if inspect.isclass(cls) and issubclass(cls, registry.base)]
    return [cls(**arguments) for cls in own for arguments in ARGUMENTS.get(cls, [{}])]


REGISTRIES = (CRITERIA, GRANULARITIES, ALLOCATIONS, SCHEDULES, REGROWTHS)


def vary(registry):
    """Arguments of `prune` that differ from its defaults in one object of a registry."""
    return [pytest.param({registry.argument: entry}, id=repr(entry)) for entry in objects(registry)]


# A criterion that sums over the steps of a training has no scores before it.
SCORING = [entry for entry in objects(CRITERIA) if not entry.accumulates]
SHAPING = vary(GRANULARITIES) + vary(ALLOCATIONS)


def mix():
    """Arguments of `PruneCallback`, with every object of four registries in one case at least."""
    lists = [SCORING, *map(objects, (GRANULARITIES, ALLOCATIONS, SCHEDULES))]
    shapes, allocations, schedules = map(itertools.cycle, lists[1:])
    cases, waiting = [], list(SCORING)
    for shape in itertools.islice(shapes, max(map(len, lists))):
        fits = (c for c in waiting if not (c.scores_outputs and shape.takes_inputs))
        criterion = next(fits)
        waiting.remove(criterion)
        waiting.append(criterion)
        case = {"criterion": criterion, "granularity": shape, "schedule": next(schedules)}
        if shape.sparsity is None and not shape.expendable:
            case["allocation"] = next(allocations)
        cases.append(case)
    return cases


def remembering():
    """Arguments of `PruneCallback` with what needs more memory than the zeros of the weights."""
    often = ConstantSparsity(frequency=2)
    sums = [entry for entry in objects(CRITERIA) if entry.accumulates]
    cases = [{"criterion": entry, "schedule": PolynomialDecay()} for entry in sums]
    for entry in objects(REGROWTHS):
        alone = {"sparsity": None} if entry.sets_sparsity else {"schedule": often}
        cases.append({"regrowth": entry, **alone})
    return cases


def in_training(case):
    return pytest.param(case, id="-".join(type(entry).__name__ for entry in case.values()))


def network():
    """Compiled network 8 channels - 8 - 16 - 8 classes, of 384, 128 and 128 weights."""
    keras.utils.set_random_seed(0)
    scales = keras.initializers.RandomUniform(0.5, 1.5, seed=0)
    model = keras.Sequential(
        [
            keras.Input((4, 5, 8)),
            layers.Conv2D(8, (2, 3), activation="relu", name="window"),
            layers.BatchNormalization(gamma_initializer=scales),
            layers.GlobalAveragePooling2D(),
            layers.Dense(16, activation="relu", name="hidden"),
            layers.BatchNormalization(gamma_initializer=scales),
            layers.Dense(8, name="logits"),
        ],
        name="network",
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=False)
    return model


@functools.cache
def _start():
    model = network()
    return model, model.get_weights()


def fresh():
    """The one network of the tests that do not train, with its first weights."""
    model, weights = _start()
    model.set_weights(weights)
    return model


def examples():
    """Float32 inputs (16, 4, 5, 8) and labels (16,)."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(16, 4, 5, 8)).astype("float32"), generator.integers(0, 8, 16)


def arguments_of(case, sparsity, data):
    """What `prune` and `PruneCallback` take for a case, where it needs more than itself."""
    criterion = case.get("criterion", Magnitude())
    granularity = case.get("granularity", Unstructured())
    allocation = case.get("allocation", Uniform())
    fixed = allocation.sparsity if allocation.sparsity is not None else granularity.sparsity
    return {
        "sparsity": sparsity if fixed is None else fixed,
        "data": data if criterion.needs_data else None,
        "seed": 0,
        "allocation": "global" if granularity.expendable else "uniform",
        **case,
    }


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.argument)
def test_every_object_is_found_by_its_name_and_by_its_configuration(registry):
    found = objects(registry)
    assert set(registry.factories.values()) <= {type(entry) for entry in found}
    for entry in found:
        config = keras.saving.serialize_keras_object(entry)
        assert registry.get(config) == registry.get(entry) == entry
        assert hash(registry.get(config)) == hash(entry)
    for name, cls in registry.factories.items():
        assert type(registry.get(name)) is cls


# Asked is achieved.


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("case", SHAPING)
def test_sparsity_is_exact_to_a_unit_in_every_layer_and_in_total(case, sparsity):
    model = fresh()
    before = kernels(model)
    report = prune(model, **arguments_of(case, sparsity, examples()))
    assert report.reached
    size = sum(weight.size for weight in report.pruned)
    largest = max(weight.slack for weight in report.pruned)
    for weight in report.pruned:
        if weight.asked is None:  # what is asked of all layers together
            assert abs(report.asked - report.achieved) * size <= largest + 1e-6
        else:
            assert abs(weight.asked - weight.achieved) * weight.size <= weight.slack + 1e-6
    for old, new, zeros in zip(before, kernels(model), zeros_of(model), strict=True):
        np.testing.assert_array_equal(new, np.where(zeros, 0.0, old))
        assert zeros.sum() == (new == 0.0).sum()


KINDS = {
    "dense": (lambda: layers.Dense(5), (7,)),
    "conv": (lambda: layers.Conv2D(6, (2, 3)), (5, 5, 6)),
    "groups": (lambda: layers.Conv2D(9, 3, groups=3), (4, 4, 12)),
    "line": (lambda: layers.Conv1D(1, 3), (5, 9)),
    "transposed": (lambda: layers.Conv2DTranspose(3, 2), (3, 3, 5)),
    "separable": (lambda: layers.SeparableConv2D(7, 3), (4, 4, 8)),
    "einsum": (lambda: layers.EinsumDense("abc,cde->abde", (None, 2, 3)), (3, 8)),
    "embedding": (lambda: layers.Embedding(11, 4), (3,)),
    "recurrent": (lambda: layers.GRU(2), (3, 8)),
}


@functools.cache
def model_of(kind):
    make, inputs = KINDS[kind]
    return keras.Sequential([keras.Input(inputs), make(), layers.Flatten()])


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(objects(GRANULARITIES)),
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 2**16),
    st.floats(0.0, 0.99),
)
def test_every_shape_is_exact_on_every_kind_of_layer_or_says_why_not(shape, kind, seed, sparsity):
    model, generator = model_of(kind), np.random.default_rng(seed)
    model.set_weights([generator.normal(size=value.shape) for value in model.get_weights()])
    try:
        report = prune(model, **arguments_of({"granularity": shape}, sparsity, None))
    except ValueError as error:
        assert "no weight that can be pruned. Received: {" in str(error)
        return
    for weight in report.pruned:
        missed = abs(report.asked - weight.achieved) * weight.size
        assert shape.expendable or missed <= weight.slack + 1e-6


# Units, inputs and examples have no order.

# How many outputs and inputs move together where a shape groups its neighbours.
NEIGHBOURS = {
    Auto: lambda shape: (4, 4),  # blocks of 4x1 or 1x4 for these layers
    Block: lambda shape: (shape.r, shape.c),
    NM: lambda shape: (1, shape.m * shape.block),
}
# Scores that follow the place of a weight, not its value.
PLACED = (Random,)


def shuffled(generator, size, step):
    """A permutation of 0 ... size - 1 that moves `step` neighbours together."""
    starts = generator.permutation(size // step) * step
    return (starts[:, None] + np.arange(step)).ravel()


def moved_kernels(arrays, orders):
    """Kernels (..., inputs, outputs) of a chain of layers, with every unit in its new place."""
    pairs = zip(arrays, orders[:-1], orders[1:], strict=True)
    return [array.take(before, -2).take(after, -1) for array, before, after in pairs]


def moved_weights(weights, orders):
    """The weights of the network, kernels and vectors of outputs, in their new places."""
    moved, layer = [], 0
    for value in map(np.array, weights):
        if value.ndim > 1:
            moved += moved_kernels([value], orders[layer : layer + 2])
            layer += 1
        else:
            moved.append(value[orders[layer]])
    return moved


def moved_examples(orders):
    """The data as the moved network sees them, in an order of their own."""
    (x, y), rows = examples(), np.random.default_rng(2).permutation(16)
    return x[rows].take(orders[0], -1), np.argsort(orders[-1])[y[rows]]


def orders_of(step):
    generator = np.random.default_rng(1)
    return [shuffled(generator, size, step) for size in (8, 8, 16, 8)]


def scores_of(criterion, model, data):
    data = data if criterion.needs_data else None
    criterion.check_data(data)
    return list(criterion.scores(scored(criterion, model), criterion.probe(model, data)))


def scored(criterion, model):
    """The kernels that a criterion can score, in the order of the network."""
    weights = find_weights(model)
    left_alone = criterion.skip(model, weights, examples())
    assert len(left_alone) < len(weights) and all(left_alone.values())
    return [weight for weight in weights if id(weight) not in left_alone]


@pytest.mark.parametrize("criterion", SCORING, ids=repr)
def test_scores_are_finite_float32_arrays_that_move_with_units_inputs_and_examples(criterion):
    model, orders = fresh(), orders_of(1)
    before = scores_of(criterion, model, examples())
    weights = find_weights(model)[: len(before)]  # who leaves some alone leaves the last
    assert [w.path for w in scored(criterion, model)] == [w.path for w in weights]
    assert [score.shape for score in before] == [weight.shape for weight in weights]
    for score in before:
        assert score.dtype == np.float32
        assert np.isfinite(score).all() and len(np.unique(score)) > 1
    model.set_weights(moved_weights(model.get_weights(), orders))
    after = scores_of(criterion, model, moved_examples(orders))
    if not isinstance(criterion, PLACED):
        moved = moved_kernels(before, orders[: len(before) + 1])
        for score, expected in zip(after, moved, strict=True):
            np.testing.assert_allclose(score, expected, rtol=1e-3, atol=1e-4 * np.abs(score).max())


@pytest.mark.parametrize("case", SHAPING)
def test_masks_move_with_units_and_inputs(case):
    shape = case.get("granularity", Unstructured())
    outputs, inputs = NEIGHBOURS.get(type(shape), lambda shape: (1, 1))(shape)
    model, orders = fresh(), orders_of(int(np.lcm(outputs, inputs)))
    weights = model.get_weights()
    prune(model, **arguments_of(case, 0.6, None))
    before = kernels(model)
    model.set_weights(moved_weights(weights, orders))
    prune(model, **arguments_of(case, 0.6, None))
    for kernel, expected in zip(kernels(model), moved_kernels(before, orders), strict=True):
        np.testing.assert_array_equal(kernel, expected)


@pytest.mark.parametrize("criterion", SCORING, ids=repr)
def test_same_seed_same_masks(criterion):
    pruned = []
    for _ in range(2):
        model = fresh()
        report = prune(model, **arguments_of({"criterion": criterion}, 0.6, examples()))
        pruned.append(kernels(model)[: len(report.pruned)])
    for one, other in zip(*pruned, strict=True):
        np.testing.assert_array_equal(one, other)
        # 384 or 128 weights: the nearest to 60 % are 230 and 77.
        assert (one == 0.0).sum() == int(0.6 * one.size + 0.5)


# In training.


def fit(model, case, callbacks=(), **arguments):
    """Two epochs of four steps."""
    x, y = examples()
    callback = PruneCallback(**arguments_of(case, 0.8, (x, y)))
    options = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0, **arguments}
    model.fit(x, y, callbacks=[*callbacks, callback], **options)
    return callback.report


def test_training_cases_hold_every_object():
    for registry in REGISTRIES:
        used = [case.get(registry.argument) for case in mix() + remembering()]
        assert all(entry in used for entry in objects(registry))


@pytest.mark.parametrize("case", [in_training(case) for case in mix()])
def test_zeros_hold_after_every_step_and_a_saved_training_goes_on_to_the_same_model(case, tmp_path):
    path = str(tmp_path / "{epoch}.keras")
    whole, probe = network(), ZeroProbe()
    report = fit(whole, case, [probe, keras.callbacks.ModelCheckpoint(path)])
    assert report.reached
    # Eight batches, two ends of an epoch; the last look comes after all pruning.
    assert len(probe.seen) == 8 + 2 + 1
    assert probe.sparsities[-1] == max(probe.sparsities) > 0.0
    resumed = keras.models.load_model(path.format(epoch=1))
    again = fit(resumed, case, [ZeroProbe()], initial_epoch=1)
    assert [weight.zeros for weight in again.weights] == [weight.zeros for weight in report.weights]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one == 0.0, other == 0.0)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [in_training(case) for case in remembering()])
def test_masks_hold_after_every_step_where_weights_may_come_back(case):
    class Look(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.model.get_weights()  # brings the weights of a JAX epoch along
            store = self.callback.pruner.store
            for weight, keep in zip(store.weights, store.keep, strict=True):
                kernel = keras.ops.convert_to_numpy(weight.variable)
                assert not kernel[~keep].any() and not np.signbit(kernel[~keep]).any()
            self.seen += 1

    runs = []
    for _ in range(2):
        model, look, (x, y) = network(), Look(), examples()
        data = (x, y) if case.get("regrowth") and case["regrowth"].needs_data else None
        look.callback = PruneCallback(**{"sparsity": 0.6, "data": data, "seed": 0, **case})
        callbacks = [look, look.callback]
        model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0, callbacks=callbacks)
        assert look.seen == 8 and look.callback.report.reached
        runs.append(model.get_weights())
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)


# Schedules are functions of the step alone.


@given(st.sampled_from(objects(SCHEDULES)), st.integers(1, 300), st.floats(0.0, 0.99))
def test_sparsity_never_falls_and_the_last_update_reaches_the_target(schedule, total, target):
    try:
        schedule.resolve(total)
    except ValueError as error:
        assert "Received: " in str(error)
        assume(False)
    updates = [schedule.last_update(step, total) for step in range(total + 1)]
    for step, update in enumerate(updates):
        assert update is None or 0 <= update <= step
        assert update is None or schedule.last_update(update, total) == update
    first = next(step for step, update in enumerate(updates) if update is not None)
    values = [schedule.sparsity(update, total, target) for update in updates[first:]]
    assert values == sorted(values)
    assert values[0] >= 0.0 and values[-1] == target
    assert updates[first:] == sorted(updates[first:])
