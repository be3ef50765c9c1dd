import keras
import numpy as np
import pytest

from keras_prune.tracing import example_input, record_calls


@pytest.mark.all_backends
def test_calls_are_noted_and_nothing_stays_behind():
    shared = keras.layers.Dense(4)
    inputs = keras.Input((3, 4))
    model = keras.Model(inputs, shared(shared(inputs)[:, 0]))
    calls = record_calls(model, [shared], example_input(model))
    assert calls == {id(shared): [((1, 3, 4), (1, 3, 4)), ((1, 4), (1, 4))]}
    assert "call" not in vars(shared)
    assert "quantized_call" not in vars(shared)


def test_example_has_the_structure_and_types_of_the_inputs():
    inputs = [keras.Input((3,)), keras.Input((2, 2), dtype="int32")]
    outputs = keras.layers.Flatten()(keras.ops.cast(inputs[1], "float32"))
    model = keras.Model(inputs, keras.layers.Concatenate()([inputs[0], outputs]))
    floats, ints = example_input(model)
    assert floats.shape == (1, 3)
    assert ints.shape == (1, 2, 2)
    assert keras.backend.standardize_dtype(ints.dtype) == "int32"
    assert [a.shape for a in example_input(model, [(3,), (2, 2)])] == [(1, 3), (1, 2, 2)]


def test_model_that_does_not_know_its_inputs():
    class Sum(keras.Model):
        def call(self, inputs):
            return inputs["a"] + inputs["b"]

    with pytest.raises(ValueError, match="does not tell the shape of its inputs"):
        example_input(Sum())
    example = example_input(Sum(), {"a": (3,), "b": (3,)})
    np.testing.assert_array_equal(Sum()(example), np.zeros((1, 3)))
