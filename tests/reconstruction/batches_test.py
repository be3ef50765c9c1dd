import keras
import numpy as np
import pytest

from keras_prune.reconstruction.batches import batches_of

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[index * 4 : index * 4 + 4], Y[index * 4 : index * 4 + 4]


@pytest.mark.all_backends
@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        (X, Y, np.ones(10)),
        (keras.ops.convert_to_tensor(X), Y),
        [(X[:4], Y[:4]), (X[4:8], Y[4:8]), (X[8:], Y[8:])],
        ((X[i : i + 4], Y[i : i + 4]) for i in (0, 4, 8)),
    ],
    ids=["pair", "triple", "tensor", "list", "generator"],
)
def test_every_form_gives_the_same_batches(data):
    batches = batches_of(data, 4)
    assert [len(x) for x, _ in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), X)
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), Y)


def test_datasets_of_keras():
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches_of(Batches(), 1)]), Y)


def test_inputs_alone_have_no_targets():
    assert [y for _, y in batches_of(X, 5)] == [None, None]
    ((x, y),) = batches_of({"a": X, "b": Y}, 10)
    assert y is None and sorted(x) == ["a", "b"]


@pytest.mark.parametrize(
    "data, batch_size, sentence",
    [
        (None, 4, "Received: data of type NoneType"),
        ("x", 4, "Received: data of type str"),
        ([], 4, "holds no sample"),
        (X[:0], 4, "holds no sample"),
        ((X, Y[:5]), 4, r"lengths \[5, 10\]"),
        ([["a"]], 4, "Received: str"),
        (X, 0, "Received: batch_size=0"),
    ],
)
def test_wrong_data_get_a_sentence(data, batch_size, sentence):
    with pytest.raises(ValueError, match=sentence):
        batches_of(data, batch_size)
