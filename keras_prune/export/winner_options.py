"""What a WinnerTakeAll in a file computes, and the options of its custom operator."""

import dataclasses

import numpy as np

KIND = "WINNER_TAKE_ALL"  # what it is called where it is one operator
CUSTOM_CODE = "KerasPruneWinnerTakeAll"
VERSION = 1
_WORDS = 7  # version, outer, groups, run, count, candidates, bytes of the levels


@dataclasses.dataclass(frozen=True, eq=False)
class Winners:
    """What the operators compute.

    Elements lie as (outer, groups, run). `count` of a group's candidates may win; `places` are the
    candidates of the first group, an int array, `None` for all. `levels` is a uint8 array (256,)
    that orders int8 values as LESS_EQUAL does, `None` where that is their own order or for floats.
    """

    outer: int
    groups: int
    run: int
    count: int
    places: np.ndarray | None = None
    levels: np.ndarray | None = None

    @property
    def size(self):
        """Elements of a sample."""
        return self.outer * self.groups * self.run


def to_bytes(winners):
    """Return the options of the custom operator: int32 words, places and levels.

    Args:
        winners: `Winners`.

    Returns:
        Bytes, little-endian, as `tflite_kernels/delegate/winners.c` reads them.
    """
    places = np.zeros(0, "<i4") if winners.places is None else np.asarray(winners.places, "<i4")
    levels = b"" if winners.levels is None else np.asarray(winners.levels, np.uint8).tobytes()
    words = [VERSION, winners.outer, winners.groups, winners.run, winners.count]
    words += [len(places), len(levels)]
    return np.array(words, "<i4").tobytes() + places.tobytes() + levels


def from_bytes(data):
    """Read what `to_bytes` wrote.

    Args:
        data: Bytes, which are not trusted.

    Returns:
        A `Winners`, or `None` if these are no such options.
    """
    data = bytes(data)
    if len(data) < 4 * _WORDS:
        return None
    words = np.frombuffer(data, "<i4", _WORDS).tolist()
    version, outer, groups, run, count, candidates, level_bytes = words
    in_group = outer * run
    if version != VERSION or min(outer, groups, run) < 1 or in_group * groups >= 1 << 31:
        return None
    if not 0 <= candidates <= in_group or level_bytes not in (0, 256):
        return None
    if len(data) != 4 * (_WORDS + candidates) + level_bytes:
        return None
    if not 0 <= count < (candidates or in_group):
        return None
    places = np.frombuffer(data, "<i4", candidates, 4 * _WORDS) if candidates else None
    if places is not None and not _are_of_the_first_group(places, outer, groups, run):
        return None
    levels = np.frombuffer(data, np.uint8, 256, len(data) - 256) if level_bytes else None
    return Winners(outer, groups, run, count, places, levels)


def _are_of_the_first_group(places, outer, groups, run):
    period = groups * run
    inside = (places >= 0) & (places < outer * period) & (places % period < run)
    return bool(inside.all())
