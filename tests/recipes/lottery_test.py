"""Lottery tickets: what is rewound, what is left, and what they are compared with."""

import itertools

import keras
import numpy as np
import pytest

import keras_prune as kp
from keras_prune.recipes import lottery_ticket
from tests.recipes.round_models import STEPS, Recorder, X, Y, assert_same, fit, noisy, state_of
from tests.small_models import mlp


def plain(epochs=2, seed=3, **arguments):
    """What plain training with a seed leads to."""
    model = noisy(**arguments)
    keras.utils.set_random_seed(seed)
    fit(model, [], 0, epochs=epochs)
    return state_of(model)


def masked(state, model, masks):
    """A list of arrays as `state_of` makes it, with the pruned weights at zero."""
    paths = [variable.path for variable in model.variables]
    paths += [None] * (len(state) - len(paths))
    return [
        np.where(masks[path], array, 0.0) if path in masks else array
        for path, array in zip(paths, state, strict=True)
    ]


@pytest.mark.all_backends
def test_round_zero_is_plain_training_and_the_next_begins_where_it_began():
    model, train = noisy(), Recorder()
    model.optimizer.build(model.trainable_variables)
    initial = state_of(model)
    report = lottery_ticket(model, train, rounds=1, fraction=0.5, seed=3)
    assert_same(train.before[0][0], initial)
    assert_same(train.after[0][0], plain())
    stock = train.before[1][0][: len(initial)]  # the masks come after the slots
    assert_same(stock, masked(initial, model, report.masks))
    assert_same(state_of(model), train.after[1][0])


def test_rounds_that_prune_nothing_repeat_round_zero():
    train = Recorder()
    report = lottery_ticket(noisy(), train, rounds=2, fraction=1e-6, seed=3)
    assert report.density == 1.0
    assert_same(train.after[1][0], train.after[0][0])
    assert_same(train.after[2][0], train.after[0][0])


@pytest.mark.all_backends
def test_a_late_rewind_repeats_the_rest_of_round_zero():
    train = Recorder()
    lottery_ticket(noisy(), train, rounds=1, fraction=1e-6, seed=3, rewind_step=STEPS)
    assert_same(train.before[1][0][: len(train.after[0][0])], plain(epochs=1))
    assert_same(train.after[1][0], train.after[0][0])


@pytest.mark.all_backends
def test_a_late_rewind_takes_weights_and_slots_of_that_step():
    model, train, seen = noisy(), Recorder(), []

    def watched(model, callbacks, round):
        class Third(keras.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                if round == 0 and batch == 3 and not seen:
                    seen.append(state_of(self.model))

        train(model, [Third(), *callbacks], round)

    report = lottery_ticket(model, watched, rounds=1, fraction=0.5, seed=3, rewind_step=3)
    before = train.before[1][0][: len(seen[0])]
    assert_same(before, masked(seen[0], model, report.rounds[1].masks))
    assert int(before[len(model.variables)]) == 3  # the optimizer's step counter


def test_density_follows_the_fraction():
    report = lottery_ticket(mlp(), fit, rounds=3, fraction=0.2, seed=0)
    for number, item in enumerate(report.rounds):
        for mask in item.masks.values():
            assert abs(mask.sum() - 0.8**number * mask.size) <= 0.5
    for before, after in itertools.pairwise(report.rounds):
        for path, mask in after.masks.items():
            assert not np.any(mask & ~before.masks[path])


def test_each_layer_may_have_its_own_fraction():
    fraction = {"logits": 0.1, "": 0.2}
    report = lottery_ticket(mlp(), fit, rounds=2, fraction=fraction, seed=0)
    masks = report.masks
    assert masks["mlp/hidden/kernel"].sum() == round(0.64 * 128)
    assert masks["mlp/logits/kernel"].sum() == round(0.81 * 48)


def test_the_smallest_weights_of_the_trained_network_go():
    train = Recorder()
    model = noisy()
    report = lottery_ticket(model, train, rounds=1, fraction=0.25, seed=0)
    trained = np.abs(train.after[0][0][0])  # the kernel of `hidden`
    order = np.argsort(trained.ravel(), kind="stable")
    expected = np.ones(128, bool)
    expected[order[:32]] = False
    np.testing.assert_array_equal(report.masks["noisy/hidden/kernel"].ravel(), expected)


def test_global_allocation_and_blocks_are_reached():
    arguments = dict(granularity=kp.Block(1, 4), allocation="global")
    report = lottery_ticket(mlp(), fit, rounds=2, sparsity=0.75, seed=0, **arguments)
    assert abs(report.density - 0.25) <= 4 / 176
    shape = kp.PerLayer({"hidden": 0.75, "logits": 0.36})
    report = lottery_ticket(mlp(), fit, rounds=2, allocation=shape, seed=0)
    kept = [[mask.sum() for mask in item.masks.values()] for item in report.rounds]
    assert kept == [[128, 48], [64, round(0.8 * 48)], [32, round(0.64 * 48)]]


def test_same_seed_same_result():
    arguments = dict(evaluate=(X, Y), rounds=1, sparsity=0.6, seed=5)
    first = lottery_ticket(noisy(seed=1), fit, **arguments)
    second = lottery_ticket(noisy(seed=1), fit, **arguments)
    assert first == second
    assert first != lottery_ticket(noisy(seed=1), fit, **{**arguments, "seed": 6})
    for path, mask in first.masks.items():
        np.testing.assert_array_equal(mask, second.masks[path])


@pytest.mark.all_backends
def test_controls_are_trained_beside_the_ticket():
    model, train = noisy(), Recorder()
    initial = state_of(model)
    report = lottery_ticket(
        model,
        train,
        evaluate=(X, Y),
        rounds=1,
        fraction=0.5,
        control=("random_reinit", "random_mask"),
        seed=0,
    )
    masks = report.rounds[1].masks
    ticket, fresh, other = (state[0] for state in train.before[1])
    keep = masks["noisy/hidden/kernel"]
    np.testing.assert_array_equal(ticket, np.where(keep, initial[0], 0.0))
    np.testing.assert_array_equal(fresh != 0.0, keep)
    assert not np.any((fresh == initial[0]) & keep)
    assert np.count_nonzero(other) == keep.sum()
    np.testing.assert_array_equal(other[other != 0.0], initial[0][other != 0.0])
    assert np.any((other != 0.0) != keep)
    assert set(report.rounds[1].controls) == {"random_reinit", "random_mask"}
    assert report.rounds[0].controls == {}
    assert_same(state_of(model), train.after[1][0])
    assert "random_mask" in str(report)


def test_a_control_with_seeded_initializers_is_refused():
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
        ]
    )
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"initializers without a seed.*Received"):
        lottery_ticket(
            model,
            lambda model, callbacks, round: model.fit(X, X[:, :3], callbacks=callbacks, verbose=0),
            rounds=1,
            control="random_reinit",
        )


@pytest.mark.all_backends
def test_kernels_that_begin_at_zero_keep_their_masks():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(3, kernel_initializer="zeros", name="zero")]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    report = lottery_ticket(model, fit, rounds=2, fraction=0.5, seed=0)
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel)
    assert np.count_nonzero(kernel) == 6
    np.testing.assert_array_equal(kernel != 0.0, *report.masks.values())


@pytest.mark.all_backends
def test_moving_averages_and_validation_keep_the_masks():
    model = noisy(keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True, ema_momentum=0.5))

    def train(model, callbacks, round):
        fit(model, callbacks, round, epochs=1, validation_data=(X, Y))

    report = lottery_ticket(model, train, rounds=1, fraction=0.5, seed=0)
    for weight, mask in zip(("hidden", "logits"), report.masks.values(), strict=True):
        kernel = keras.ops.convert_to_numpy(model.get_layer(weight).kernel)
        np.testing.assert_array_equal(kernel != 0.0, mask)
    assert all(v.constraint is None for v in model.trainable_variables)


def test_a_round_may_have_several_fits():
    train, seen = Recorder(epochs=1), []

    def twice(model, callbacks, round):
        train(model, callbacks, round)
        train(model, callbacks, round)
        seen.append(int(model.optimizer.iterations))

    report = lottery_ticket(noisy(), twice, rounds=1, fraction=0.5, seed=0, rewind_step=STEPS)
    assert seen == [2 * STEPS, 2 * STEPS]
    masks = report.masks["noisy/hidden/kernel"]
    np.testing.assert_array_equal(train.after[1][1][0] != 0.0, masks)
    np.testing.assert_array_equal(train.before[1][0][0], train.after[0][0][0] * masks)


def test_half_precision_is_rewound_to_the_bit():
    model, train = noisy(dtype="bfloat16"), Recorder(epochs=1)
    lottery_ticket(model, train, rounds=1, fraction=1e-6, seed=0)
    assert_same(train.after[1][0], train.after[0][0])


@pytest.mark.parametrize("evaluate", [lambda model: 0.5, [(X[:24], Y[:24]), (X[24:], Y[24:])]])
def test_evaluate_takes_a_function_or_data(evaluate):
    if isinstance(evaluate, list):

        class Batches(keras.utils.PyDataset):
            def __len__(self):
                return 2

            def __getitem__(self, index):
                return source[index]

        source, evaluate = evaluate, Batches()
    report = lottery_ticket(noisy(), fit, evaluate, rounds=1, seed=0)
    names = {"evaluation"} if callable(evaluate) else {"loss", "accuracy"}
    assert set(report.rounds[1].evaluation) == names


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (dict(rounds=2, fraction=0.2, sparsity=0.5), "leave one out"),
        (dict(rounds=0), "`rounds` must be an int"),
        (dict(fraction=1.5), r"number in \[0, 1\)"),
        (dict(fraction=0.0), "must be above 0"),
        (dict(fraction={"": 0.2}, allocation="global"), "leave `sparsity` and `allocation` out"),
        (dict(fraction=0.2, allocation=kp.PerLayer({"": 0.5})), "leave `fraction`"),
        (dict(rewind_step=-1), "`rewind_step` must be an int >= 0"),
        (dict(rewind_step=12), "before the last step"),
        (dict(control="reinit"), "`control` takes names among"),
        (dict(seed=-1), "`seed` must be an int >= 0"),
        (dict(resume="step"), "`resume` must be"),
        (dict(granularity="2:4", rounds=2), "makes a sparsity of 0.5 and no other"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=rf"(?s){sentence}.*Received: "):
        lottery_ticket(noisy(), fit, **{"seed": 0, **arguments})


def test_a_train_that_goes_its_own_way_gets_a_sentence():
    def without_callbacks(model, callbacks, round):
        fit(model, [], round)

    def compiling(model, callbacks, round):
        model.compile("sgd", "sparse_categorical_crossentropy")
        fit(model, callbacks, round)

    with pytest.raises(ValueError, match=r"hand its argument `callbacks`.*Received"):
        lottery_ticket(noisy(), without_callbacks, rounds=1)
    with pytest.raises(ValueError, match=r"must not compile.*Received"):
        lottery_ticket(noisy(), compiling, rounds=1)
    with pytest.raises(ValueError, match=r"must take three arguments.*Received"):
        lottery_ticket(noisy(), lambda model: None, rounds=1)
    with pytest.raises(ValueError, match=r"must be compiled.*Received"):
        lottery_ticket(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]), fit)


def test_a_rewind_step_within_an_execution_is_refused():
    with pytest.raises(ValueError, match=r"`steps_per_execution`.*Received: rewind_step=3"):
        lottery_ticket(noisy(steps_per_execution=2), fit, rounds=1, rewind_step=3)


@pytest.mark.all_backends
def test_a_round_that_breaks_off_leaves_no_masks_behind():
    model = noisy()
    built = len(state_of(model))

    def breaking(model, callbacks, round):
        if round == 1:
            stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / 0)
            callbacks = [*callbacks, stop]
        fit(model, callbacks, round)

    with pytest.raises(ZeroDivisionError):
        lottery_ticket(model, breaking, rounds=1, seed=0)
    assert all(v.constraint is None for v in model.trainable_variables)
    model.optimizer.build(model.trainable_variables)
    assert len(state_of(model)) >= built
    fit(model, [], 0)
