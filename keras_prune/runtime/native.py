"""The compiled library: sparse packers for Python, and the TFLite delegate."""

import ctypes
import functools
import pathlib

import numpy as np

_STATUS = {
    1: "an argument is invalid",
    2: "the blob does not describe such a matrix",
    3: "the buffer is too small",
    4: "the format cannot hold this matrix",
}


_PACKERS = ("spk_stream_s8_pack", "spk_stream_s8_pack_odd", "spk_blocks_s8_pack")
_PACKERS += ("spk_twins_s8_pack", "spk_csr_f32_pack")


def library_path():
    """Returns the path of the compiled library inside the installed package.

    Returns:
        A `pathlib.Path`; the file need not exist.
    """
    return pathlib.Path(__file__).resolve().parent.parent / "libkeras_prune_delegate.so"


@functools.cache
def library():
    """Loads the compiled library.

    Returns:
        A `ctypes.CDLL` with the argument types of the packers set.

    Raises:
        ImportError: If the library has not been built.
    """
    path = library_path()
    if not path.is_file():
        raise ImportError(
            "The compiled library of keras_prune is missing. Build it with `make native`, or "
            f"install the package with `pip install .`. Received: path={path}"
        )
    handle = ctypes.CDLL(str(path))
    size, int32 = ctypes.c_size_t, ctypes.c_int32
    dense, blob = ctypes.c_void_p, ctypes.c_char_p
    handle.spk_version.restype = ctypes.c_char_p
    for packer in _PACKERS:
        sizes = getattr(handle, f"{packer}_size")
        sizes.restype, sizes.argtypes = size, [dense, int32, int32]
        getattr(handle, packer).argtypes = [dense, int32, int32, blob, size]
    for unpacker in ("spk_stream_s8_unpack", "spk_blocks_s8_unpack", "spk_twins_s8_unpack"):
        getattr(handle, unpacker).argtypes = [blob, size, int32, int32, dense]
    groups = handle.spk_groups_s8_pack_size
    groups.restype, groups.argtypes = size, [dense, int32, int32, int32]
    handle.spk_groups_s8_pack.argtypes = [dense, int32, int32, int32, blob, size]
    handle.spk_groups_s8_unpack.argtypes = [blob, size, int32, int32, int32, dense]
    eights = handle.spk_eights_s8_pack_size
    eights.restype, eights.argtypes = size, [blob, int32, int32]
    handle.spk_eights_s8_pack.argtypes = [blob, int32, int32, blob, size]
    for name in ("spk_fours_s8", "spk_lanes_s8"):
        sizes = getattr(handle, f"{name}_pack_size")
        sizes.restype, sizes.argtypes = size, [dense, int32, int32, int32]
        getattr(handle, f"{name}_pack").argtypes = [dense, int32, int32, int32, blob, size]
        getattr(handle, f"{name}_unpack").argtypes = [blob, size, int32, int32, int32, dense]
    handle.spk_hvx_fill_offsets.argtypes = [ctypes.POINTER(int32), ctypes.POINTER(int32)]
    handle.spk_conv2d_s8_fours__hvx_scratch.restype = size
    handle.spk_conv2d_s8_fours__hvx_scratch.argtypes = [ctypes.POINTER(int32), int32, int32]
    return handle


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
    return _pack("spk_stream_s8_pack_odd" if odd else "spk_stream_s8_pack", dense)


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
    return _unpack("spk_stream_s8_unpack", blob, rows, cols)


def pack_blocks_s8(dense):
    """Packs a matrix of int8 weights as `blocks_s8`: the 1x4 blocks that are not all zero.

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return _pack("spk_blocks_s8_pack", dense)


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
    return _unpack("spk_blocks_s8_unpack", blob, rows, cols)


def pack_twins_s8(dense):
    """Packs a matrix of int8 weights as `twins_s8`: pairs of neighbours, and a stream of the rest.

    Args:
        dense: int8 array of shape `(rows, cols)`: output units by inputs.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return _pack("spk_twins_s8_pack", dense)


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
    return _unpack("spk_twins_s8_unpack", blob, rows, cols)


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
    return _pack("spk_groups_s8_pack", dense, m)


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
    return _unpack("spk_groups_s8_unpack", blob, rows, cols, m)


def pack_csr_f32(dense):
    """Packs a matrix of float32 weights as `csr_f32`, the format of the portable C kernels.

    Args:
        dense: float32 array of shape `(rows, cols)`: output units by inputs.

    Returns:
        The packed bytes.

    Raises:
        ValueError: If `dense` is not such an array, or the format cannot hold it.
    """
    return _pack("spk_csr_f32_pack", dense, dtype=np.float32)


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
    return _pack("spk_fours_s8_pack", dense, spread)


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
    return _unpack("spk_fours_s8_unpack", blob, rows, cols, spread)


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
    return _pack("spk_lanes_s8_pack", dense, block)


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
    _check(
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
    return _unpack("spk_lanes_s8_unpack", blob, rows, cols, block)


def fours_scratch_hvx(window, indices, spread):
    """Returns the bytes of scratch that a convolution of Hexagon's vector unit needs.

    Args:
        window: The 15 integers of `spk_window2d`, in its order.
        indices: Integer. Those of `fours_s8`, or 0 for dense weights.
        spread: Bool. As for packing.

    Returns:
        An integer.
    """
    fields = (ctypes.c_int32 * 15)(*window)
    return library().spk_conv2d_s8_fours__hvx_scratch(fields, indices, int(spread))


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


def _pack(packer, dense, *further, dtype=np.int8):
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
    _check(packer, status, rows, cols)
    return blob.raw[:size]


def _unpack(unpacker, blob, rows, cols, *further):
    if min(rows, cols) < 1 or rows * cols > 2**31 - 1:
        raise ValueError(
            "Arguments `rows` and `cols` must be positive and their product below 2**31. "
            f"Received: rows={rows}, cols={cols}"
        )
    blob = bytes(blob)
    dense = np.empty((rows, cols), np.int8)
    status = getattr(library(), unpacker)(blob, len(blob), rows, cols, *further, dense.ctypes.data)
    _check(unpacker, status, rows, cols)
    return dense


def _check(function, status, rows, cols):
    if status != 0:
        raise ValueError(
            f"`{function}` failed: {_STATUS.get(status, 'unknown error')}. "
            f"Received: rows={rows}, cols={cols}"
        )
