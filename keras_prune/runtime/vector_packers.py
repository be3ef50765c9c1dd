"""Matrices in the formats of the C kernels for vectors, of Cortex-M55 and Hexagon."""

import ctypes

from keras_prune.runtime.native import library
from keras_prune.runtime.packers import check_status, pack, unpack


def pack_fours_s8(dense, spread):
    """Packs a matrix of int8 weights as `fours_s8`, the format of kernels for vector units.

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.
        spread: Bool. False keeps whole blocks of four neighbouring columns (`cols` must be a
            multiple of four), True any four weights that are not zero.

    Returns:
        The packed bytes, a multiple of four of them.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return pack("spk_fours_s8_pack", dense, spread)


def unpack_fours_s8(blob, rows, cols, spread):
    """Unpacks what `pack_fours_s8()` made; the inverse.

    Args:
        blob: The packed bytes. They are checked before they are read.
        rows: Integer, output units.
        cols: Integer, inputs.
        spread: Bool, as for packing.

    Returns:
        int8 array of shape `(rows, cols)`.

    Raises:
        ValueError: If `blob` is not a packed matrix of that shape.
    """
    return unpack("spk_fours_s8_unpack", blob, rows, cols, spread)


def pack_lanes_s8(dense, block):
    """Packs a matrix of int8 weights as `lanes_s8`, the format of kernels that gather inputs.

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.
        block: Integer. How many neighbouring columns are kept together: 1, or 4, of which `cols`
            must be a multiple.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return pack("spk_lanes_s8_pack", dense, block)


def order_lanes_s8(lanes, rows, block):
    """Packs `lanes_s8` anew as `eights_s8`: eight rows of about one length together.

    Args:
        lanes: Bytes that `pack_lanes_s8()` made.
        rows: Integer, output units, at most 65536.
        block: Integer, as for packing.

    Returns:
        The packed bytes.
    """
    size = library().spk_eights_s8_pack_size(lanes, rows, block)
    blob = ctypes.create_string_buffer(max(size, 1))
    check_status(
        "spk_eights_s8_pack", library().spk_eights_s8_pack(lanes, rows, block, blob, size), rows, 0
    )
    return blob.raw[:size]


def unpack_lanes_s8(blob, rows, cols, block):
    """Unpacks what `pack_lanes_s8()` made; the inverse.

    Args:
        blob: The packed bytes. They are checked before they are read.
        rows: Integer, output units.
        cols: Integer, inputs.
        block: Integer, as for packing.

    Returns:
        int8 array of shape `(rows, cols)`.

    Raises:
        ValueError: If `blob` is not a packed matrix of that shape.
    """
    return unpack("spk_lanes_s8_unpack", blob, rows, cols, block)


def fours_scratch_hvx(window, indices):
    """Returns the bytes of scratch that a convolution of Hexagon's vector unit needs.

    Args:
        window: The 15 integers of `spk_window2d`, in its order.
        indices: Integer. Those of `fours_s8`, or 0 for dense weights.

    Returns:
        An integer.
    """
    fields = (ctypes.c_int32 * 15)(*window)
    return library().spk_conv2d_s8_fours__hvx_scratch(fields, indices)


def column_offsets_hvx(window, fours):
    """Returns where every four columns of a convolution lie in the inputs of Hexagon's kernels.

    Args:
        window: The 15 integers of `spk_window2d`, in its order.
        fours: Integer. Channels, four at a time, times the taps of the kernel.

    Returns:
        A list of integers: bytes.
    """
    offsets = (ctypes.c_int32 * fours)()
    library().spk_hvx_fill_offsets((ctypes.c_int32 * 15)(*window), offsets)
    return list(offsets)
