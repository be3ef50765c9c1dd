import keras
import numpy as np
import pytest

from keras_prune.export.representative_data import MAX_SAMPLES, samples_of

X = np.arange(12.0).reshape(3, 4)
Z = np.arange(3).reshape(3, 1)


def one():
    return [keras.KerasTensor((1, 4), name="x")]


def two():
    return [*one(), keras.KerasTensor((1, 1), dtype="int32", name="z")]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[index : index + 1], Z[index : index + 1]


@pytest.mark.parametrize(
    "data",
    [
        X,
        {"x": X},
        [X[:2], X[2:]],
        (batch for batch in (X[:1], X[1:])),
        [(X, Z)],
        [{"x": X}],
        Batches(),
    ],
    ids=["array", "dict", "batches", "generator", "pairs", "dicts", "dataset"],
)
def test_one_input(data):
    samples = samples_of(data, one())
    assert [len(sample) for sample in samples] == [1, 1, 1]
    np.testing.assert_array_equal(np.concatenate([sample[0] for sample in samples]), X)
    assert samples[0][0].dtype == np.float32


@pytest.mark.parametrize(
    "data",
    [[X, Z], (X, Z), {"z": Z, "x": X}, [(X, Z)], [((X, Z), Z, Z)], [({"x": X, "z": Z}, Z, Z)]],
    ids=["list", "tuple", "dict", "batches", "with targets", "dicts with targets"],
)
def test_two_inputs(data):
    samples = samples_of(data, two())
    assert [(x.shape, z.shape) for x, z in samples] == [((1, 4), (1, 1))] * 3
    assert [int(z[0, 0]) for _, z in samples] == [0, 1, 2]
    assert samples[0][1].dtype == np.int32


def test_endless_data_is_cut():
    def endless():
        while True:
            yield X

    assert len(samples_of(endless(), one())) == MAX_SAMPLES


@pytest.mark.parametrize(
    "data, sentence",
    [
        (None, "representative_data=None"),
        ("x.npy", "representative_data='x.npy'"),
        (7, "of type int"),
        ([], "holds no sample"),
        (X[:0], "holds no sample"),
        (X[:, :3], r"does not fit .* Received: shape=\(3, 3\)"),
        (X[0], r"does not fit"),
        (np.array([["a"] * 4]), "does not fit"),
        ({"y": X}, r"lacks an input .* Received: names=\['y'\]"),
    ],
)
def test_bad_data_gets_a_sentence(data, sentence):
    with pytest.raises(ValueError, match=sentence):
        samples_of(data, one())
