"""Matrices in the formats of the C kernels, packed and unpacked by the compiled library."""

import ctypes

import numpy as np

from keras_prune.runtime.native import library

_STATUS = {
    1: "an argument is invalid",
    2: "the blob does not describe such a matrix",
    3: "the buffer is too small",
    4: "the format cannot hold this matrix",
}


def pack_stream_s8(dense, odd=False):
    """Packs a matrix of int8 weights as `stream_s8`, the format of the portable C kernels.

    Example:

    ```python
    >>> pack_stream_s8(np.array([[0, 0, 5], [0, 0, 0]], "int8"))
    b'\\x01\\x00\\x02\\x05\\x00\\x00'
    ```

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.
        odd: Bool. Whether every row gets an odd count of pairs, so that rows are whole words; a
            row of an even number of weights and no zero has none, and a row of more than 16383
            pairs is too long. Defaults to `False`.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return pack("spk_stream_s8_pack_odd" if odd else "spk_stream_s8_pack", dense)


def unpack_stream_s8(blob, rows, cols):
    """Unpacks what `pack_stream_s8()` made; the inverse.

    Args:
        blob: The packed bytes. They are checked before they are read.
        rows: Integer, output units.
        cols: Integer, inputs.

    Returns:
        int8 array of shape `(rows, cols)`.

    Raises:
        ValueError: If `blob` is not a packed matrix of that shape.
    """
    return unpack("spk_stream_s8_unpack", blob, rows, cols)


def pack_blocks_s8(dense):
    """Packs a matrix of int8 weights as `blocks_s8`: the 1x4 blocks that are not all zero.

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return pack("spk_blocks_s8_pack", dense)


def unpack_blocks_s8(blob, rows, cols):
    """Unpacks what `pack_blocks_s8()` made; the inverse.

    Args:
        blob: The packed bytes. They are checked before they are read.
        rows: Integer, output units.
        cols: Integer, inputs.

    Returns:
        int8 array of shape `(rows, cols)`.

    Raises:
        ValueError: If `blob` is not a packed matrix of that shape.
    """
    return unpack("spk_blocks_s8_unpack", blob, rows, cols)


def pack_twins_s8(dense):
    """Packs a matrix of int8 weights as `twins_s8`: pairs of neighbours, and a stream of the rest.

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return pack("spk_twins_s8_pack", dense)


def unpack_twins_s8(blob, rows, cols):
    """Unpacks what `pack_twins_s8()` made; the inverse.

    Args:
        blob: The packed bytes. They are checked before they are read.
        rows: Integer, output units.
        cols: Integer, inputs.

    Returns:
        int8 array of shape `(rows, cols)`.

    Raises:
        ValueError: If `blob` is not a packed matrix of that shape.
    """
    return unpack("spk_twins_s8_unpack", blob, rows, cols)


def pack_groups_s8(dense, m):
    """Packs a matrix of int8 weights as `groups_s8`: one weight in each group of `m` inputs.

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.
        m: Integer, 4 or 8.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or a group has several weights.
    """
    return pack("spk_groups_s8_pack", dense, m)


def unpack_groups_s8(blob, rows, cols, m):
    """Unpacks what `pack_groups_s8()` made; the inverse.

    Args:
        blob: The packed bytes. They are checked before they are read.
        rows: Integer, output units.
        cols: Integer, inputs.
        m: Integer, 4 or 8.

    Returns:
        int8 array of shape `(rows, cols)`.

    Raises:
        ValueError: If `blob` is not a packed matrix of that shape.
    """
    return unpack("spk_groups_s8_unpack", blob, rows, cols, m)


def pack_csr_f32(dense):
    """Packs a matrix of float32 weights as `csr_f32`, the format of the portable C kernels.

    Args:
        dense: float32 array of shape `(rows, cols)`: output units by inputs.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return pack("spk_csr_f32_pack", dense, dtype=np.float32)


def pack(packer, dense, *further, dtype=np.int8):
    """Bytes that a packer of the library makes of a matrix, to which `further` ints belong."""
    dense = np.asarray(dense)
    if dense.dtype != dtype or dense.ndim != 2 or dense.size == 0:
        raise ValueError(
            f"Argument `dense` must be a non-empty {np.dtype(dtype).name} array of shape "
            f"(rows, cols). Received: dense of dtype={dense.dtype}, shape={dense.shape}"
        )
    dense = np.ascontiguousarray(dense)
    rows, cols = dense.shape
    size = getattr(library(), f"{packer}_size")(dense.ctypes.data, rows, cols, *further)
    blob = ctypes.create_string_buffer(max(size, 1))
    status = getattr(library(), packer)(dense.ctypes.data, rows, cols, *further, blob, size)
    check_status(packer, status, rows, cols)
    return blob.raw[:size]


def unpack(unpacker, blob, rows, cols, *further):
    """The int8 matrix that an unpacker of the library makes of bytes."""
    if min(rows, cols) < 1 or rows * cols > 2**31 - 1:
        raise ValueError(
            "Arguments `rows` and `cols` must be positive and their product below 2**31. "
            f"Received: rows={rows}, cols={cols}"
        )
    blob = bytes(blob)
    dense = np.empty((rows, cols), np.int8)
    status = getattr(library(), unpacker)(blob, len(blob), rows, cols, *further, dense.ctypes.data)
    check_status(unpacker, status, rows, cols)
    return dense


def check_status(function, status, rows, cols):
    """Raise a ValueError that says what a function of the library returned, unless it is 0."""
    if status != 0:
        raise ValueError(
            f"`{function}` failed: {_STATUS.get(status, 'unknown error')}. "
            f"Received: rows={rows}, cols={cols}"
        )
