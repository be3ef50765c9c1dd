"""Whole networks for C projects."""

import numpy as np

from tests.export.c_model_builder import Model, random_int8

SIZE = 12 * 10 * 3


def pruned_network(path, sparsity=0.85, seed=20, blocks=False):
    """A network with a residual sum, as converters write them, most weights zero.

    With `blocks` they are zero four neighbouring inputs at a time.
    """
    rng, model = np.random.default_rng(seed), Model()

    def weights(shape, axis, keep_dense=False):
        values = random_int8(rng, shape)
        if not keep_dense:
            dead = rng.random(shape) < sparsity
            if blocks:
                dead = np.repeat(dead[..., ::4], 4, axis=-1)
            values[dead] = 0
        return model.tensor(shape, rng.uniform(0.002, 0.01, shape[axis]), 0, values, axis=axis)

    def bias(channels):
        return model.tensor((channels,), 1e-4, 0, rng.integers(-900, 900, channels), "int32")

    window = {"padding": 0, "strideH": 1, "strideW": 1}
    dilation = {"dilationHFactor": 1, "dilationWFactor": 1}
    source = model.tensor((1, 12, 10, 3), 0.02, -3)
    x = model.operator(
        "CONV_2D", [source, weights((16, 3, 3, 3), 0, True), bias(16)],
        [model.tensor((1, 12, 10, 16), 0.03, -128)],
        **window, **dilation, fusedActivationFunction=1,
    )  # fmt: skip
    y = model.operator(
        "DEPTHWISE_CONV_2D", [x, weights((1, 3, 3, 16), 3, True), bias(16)],
        [model.tensor((1, 12, 10, 16), 0.04, -128)],
        **window, **dilation, depthMultiplier=1, fusedActivationFunction=3,
    )  # fmt: skip
    y = model.operator(
        "CONV_2D", [y, weights((16, 3, 3, 16), 0), bias(16)],
        [model.tensor((1, 12, 10, 16), 0.08, 4)], **window, **dilation,
    )  # fmt: skip
    x = model.operator("ADD", [x, y], [model.tensor((1, 12, 10, 16), 0.08, -9)])
    pool = {"padding": 1, "strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    x = model.operator("MAX_POOL_2D", [x], [model.tensor((1, 6, 5, 16), 0.08, -9)], **pool)
    shape = model.tensor((2,), data=[1, 480], dtype="int32")
    x = model.operator("RESHAPE", [x, shape], [model.tensor((1, 480), 0.08, -9)])
    x = model.operator(
        "FULLY_CONNECTED", [x, weights((10, 480), 0), bias(10)], [model.tensor((1, 10), 0.3, 7)]
    )
    x = model.operator("SOFTMAX", [x], [model.tensor((1, 10), 1 / 256, -128)], beta=1.0)
    return model.save(path, [source], [x])


def pooled_network(path):
    """A small network of other operators, with float32 ends."""
    rng, model = np.random.default_rng(5), Model()
    source = model.tensor((1, 9, 7, 2), dtype="float32")
    x = model.operator("QUANTIZE", [source], [model.tensor((1, 9, 7, 2), 0.02, 3)])
    paddings = model.tensor((4, 2), data=[[0, 0], [1, 0], [0, 2], [0, 0]], dtype="int32")
    x = model.operator("PAD", [x, paddings], [model.tensor((1, 10, 9, 2), 0.02, 3)])
    weights = model.tensor((6, 2, 3, 2), [0.01] * 6, 0, random_int8(rng, (6, 2, 3, 2)))
    bias = model.tensor((6,), 1e-4, 0, np.arange(6), "int32")
    x = model.operator(
        "CONV_2D", [x, weights, bias], [model.tensor((1, 5, 4, 6), 0.05, 0)], padding=1,
        strideH=2, strideW=2, dilationHFactor=1, dilationWFactor=1,
    )  # fmt: skip
    x = model.operator("RELU", [x], [model.tensor((1, 5, 4, 6), 0.03, -128)])
    pool = {"padding": 0, "strideH": 2, "strideW": 1, "filterHeight": 3, "filterWidth": 2}
    x = model.operator("AVERAGE_POOL_2D", [x], [model.tensor((1, 3, 4, 6), 0.03, -128)], **pool)
    axes = model.tensor((2,), data=[1, 2], dtype="int32")
    x = model.operator("MEAN", [x, axes], [model.tensor((1, 6), 0.02, -128)], keepDims=False)
    dense = model.tensor((3, 6), 0.02, 0, random_int8(rng, (3, 6)))
    x = model.operator("FULLY_CONNECTED", [x, dense], [model.tensor((1, 3), 0.1, 0)])
    x = model.operator("DEQUANTIZE", [x], [model.tensor((1, 3), dtype="float32")])
    return model.save(path, [source], [x])


def shuffled_network(path):
    """Gates, shuffled channels and two resolutions side by side, as recent networks have them."""
    rng, model, shape = np.random.default_rng(22), Model(), (1, 6, 4, 8)

    def integers(values):
        return model.tensor(np.shape(values), data=values, dtype="int32")

    def operator(kind, inputs, shape=shape, scale=0.05, zero_point=3, **options):
        output = model.tensor(shape, scale, zero_point)
        return model.operator(kind, inputs, [output], **options)

    def constant(shape, scale=0.02):
        return model.tensor(shape, scale, -4, random_int8(rng, shape))

    source = model.tensor(shape, 0.05, 3)
    left, right = (model.tensor((1, 6, 4, 4), 0.05, 3) for _ in range(2))
    model.operator("SPLIT", [integers([3]), source], [left, right], numSplits=2)
    left = operator("HARD_SWISH", [left], (1, 6, 4, 4))
    right = operator("PRELU", [right, constant((1, 1, 4))], (1, 6, 4, 4))
    x = operator("CONCATENATION", [right, left], axis=3)
    means = operator("MEAN", [x, integers([1, 2])], (1, 1, 1, 8), keepDims=True)
    gate = operator("LOGISTIC", [means], (1, 1, 1, 8), 1 / 256, -128)
    x = operator("MUL", [x, gate])
    shuffled = operator("RESHAPE", [x, integers([1, 24, 2, 4])], (1, 24, 2, 4))
    shuffled = operator("TRANSPOSE", [shuffled, integers([0, 1, 3, 2])], (1, 24, 4, 2))
    x = operator("ADD", [operator("RESHAPE", [shuffled, integers(shape)]), x], scale=0.1)
    strides = [integers(each) for each in ([0, 0, 0, 0], [1, 6, 4, 8], [1, 2, 2, 1])]
    small = operator("STRIDED_SLICE", [x, *strides], (1, 3, 2, 8), 0.1)
    sizes = {"halfPixelCenters": True}
    large = operator("RESIZE_BILINEAR", [small, integers([6, 4])], scale=0.1, **sizes)
    near = operator("RESIZE_NEAREST_NEIGHBOR", [small, integers([6, 4])], scale=0.1, **sizes)
    x = operator("MAXIMUM", [x, large], scale=0.1)
    x = operator("SUB", [operator("LEAKY_RELU", [x], scale=0.1, alpha=0.2), near], scale=0.12)
    x = operator("TANH", [x], scale=1 / 128, zero_point=0)
    x = operator("MINIMUM", [x, x], scale=1 / 128, zero_point=0)
    return model.save(path, [source], [x])
