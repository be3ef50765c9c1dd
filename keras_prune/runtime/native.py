"""The compiled library: packers for Python, and the TFLite delegate."""

import ctypes
import functools
import pathlib

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
    handle.spk_conv2d_s8_fours__hvx_scratch.argtypes = [ctypes.POINTER(int32), int32]
    return handle
