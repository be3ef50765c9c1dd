import numpy as np

from keras_prune.export import flatbuffer
from keras_prune.export.constants import constant_weights
from keras_prune.report.tflite_macs import multiply_accumulates
from tests.export.tflite_models import add_operator, add_tensor, empty_model


def macs(name, source, weight, result, weight_first=False):
    model = empty_model()
    inputs = [add_tensor(model, source), add_tensor(model, weight.shape, data=weight)]
    if name == "TRANSPOSE_CONV":
        inputs = [add_tensor(model, (4,), "INT32"), inputs[1], inputs[0]]
    output = add_tensor(model, result)
    operator = add_operator(model, name, inputs[::-1] if weight_first else inputs, [output])
    assert flatbuffer.operator_name(model, operator) == name
    return multiply_accumulates(model, operator, constant_weights(model)[0])


def weight(*shape):
    array = np.ones(shape, np.float32)
    array.reshape(-1)[0] = 0
    return array


def test_convolution_works_at_every_output_position():
    assert macs("CONV_2D", (1, 8, 8, 3), weight(4, 3, 3, 3), (1, 6, 6, 4)) == (36 * 108, 36 * 107)


def test_depthwise_convolution():
    found = macs("DEPTHWISE_CONV_2D", (1, 8, 8, 5), weight(1, 3, 3, 5), (1, 4, 4, 5))
    assert found == (16 * 45, 16 * 44)


def test_matrix_works_for_every_row():
    assert macs("FULLY_CONNECTED", (7, 3), weight(2, 3), (7, 2)) == (7 * 6, 7 * 5)


def test_transposed_convolution_works_at_every_input_position():
    found = macs("TRANSPOSE_CONV", (1, 5, 5, 3), weight(4, 3, 3, 3), (1, 10, 10, 4))
    assert found == (25 * 108, 25 * 107)


def test_batched_matrix():
    assert macs("BATCH_MATMUL", (1, 7, 3), weight(3, 2), (1, 7, 2)) == (7 * 6, 7 * 5)


def test_other_operators_are_unknown():
    assert macs("ADD", (2, 3), weight(2, 3), (2, 3)) is None
