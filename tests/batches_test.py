import keras
import numpy as np
import pytest

from keras_prune.batches import batches_of, check_data, draw_batch, examples_of, rows_of

X, Y = np.arange(10.0).reshape(5, 2), np.arange(5)


def test_arrays_are_cut_into_batches():
    batches = list(batches_of((X, Y), 2))
    assert [rows_of(batch) for batch in batches] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate([x for x, _, _ in batches]), X)
    np.testing.assert_array_equal(np.concatenate([y for _, y, _ in batches]), Y)
    assert all(x.dtype == np.float32 and weight is None for x, _, weight in batches)


def test_nested_inputs_and_sample_weights_are_cut_too():
    data = ({"a": X, "b": [X, X]}, Y, np.ones(5))
    check_data(data)
    batch = list(batches_of(data, 4))[1]
    assert batch[0]["b"][1].shape == (1, 2)
    assert batch[2].tolist() == [1.0]


def test_batches_are_taken_as_they_are():
    class Sequence(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[index:], Y[index:]

    for data in ([(X, Y), [X[1:], Y[1:]]], Sequence()):
        check_data(data)
        assert [rows_of(batch) for batch in batches_of(data, 1)] == [5, 4]


def test_tf_data_is_read_as_it_is():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(3)
    check_data(data)
    assert [rows_of(batch) for batch in batches_of(data, 1)] == [3, 2]
    with pytest.raises(ValueError, match=r"`data` has no end: `data\.take\(n\)`"):
        check_data(data.repeat())


@pytest.mark.all_backends
@pytest.mark.parametrize(
    "data",
    [(X, Y), (keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y))],
    ids=["arrays", "tensors"],
)
def test_batches_are_drawn_without_an_example_twice(data):
    x, y, weight = draw_batch(data, 4, np.random.default_rng(0))
    assert weight is None and len(set(y.tolist())) == 4
    np.testing.assert_array_equal(x, X[y])
    assert draw_batch(data, 100, np.random.default_rng(0))[0].shape == X.shape


def test_examples_are_batches_of_one():
    batch = next(batches_of((X, Y), 3))
    assert [x.tolist() for x, _, _ in examples_of(batch)] == [[[0, 1]], [[2, 3]], [[4, 5]]]


@pytest.mark.parametrize(
    "data, sentence",
    [
        (X, "tuple of arrays .*Received: ndarray"),
        ("mnist", "Received: str"),
        (3, "Received: int"),
        ((X,), "Received: a tuple of 1"),
        (([[1.0]], [0]), "Received: a tuple of something else than arrays"),
        ((X, np.float32(1)), r"same number of examples.*Received: \[5\]"),
        ((X, Y[:3]), r"same number of examples.*Received: \[3, 5\]"),
        ((X[:0], Y[:0]), r"at least one. Received: \[0\]"),
        (iter([(X, Y)]), "an iterator ends with the first reading.*Received: data=list_iterator"),
    ],
)
def test_other_data_get_a_sentence(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_data(data)


def test_a_batch_without_labels_gets_a_sentence():
    with pytest.raises(ValueError, match="Received: a batch of type ndarray"):
        list(batches_of([X], 1))
