"""Scale factors of 31 bits that give a dense layer the same bytes as its 53 bits.

A layer's output is a step function of its sum, and rises at no more than 255 sums. A shorter
multiplier that rises at the same ones computes the same function, in one multiplication and one
shift; halves may even be rounded upwards, where LiteRT rounds them away from zero.
"""

_MOST = (1 << 31) - 1


def round_up_multipliers(multipliers, low, shifts, levels, shared=False):
    """Return multipliers and shifts for `floor(sum * multiplier * 2**(shift - 31) + 1/2)`.

    Args:
        multipliers: Ints.
        low: Ints: `(multiplier + low / 2**32) * 2**(shift - 31)` is a factor.
        shifts: Ints.
        levels: Pair of ints. Results are clamped to them.
        shared: Bool. Whether all factors get one shift, that of the largest. Else shifts stay.

    Returns:
        Two lists of ints, or `None` where a factor has no such multiplier.
    """
    found, largest = [], max(map(int, shifts))
    for multiplier, rest, shift in zip(multipliers, low, map(int, shifts), strict=True):
        if not 1 <= -shift <= 31 or multiplier == 0:
            return None
        smaller = largest - shift if shared else 0
        factor = (int(multiplier) << 32) + int(rest)
        lowest, highest = _bounds(factor, -shift, levels, smaller)
        if lowest > highest:
            return None
        found.append(min(max(int(multiplier) >> smaller, lowest), highest))
    return found, [largest] if shared else list(map(int, shifts))


def _bounds(factor, right, levels, smaller):
    # The multipliers that rise where `factor`, of 63 bits, does, with a shift `smaller` than its.
    low, high = levels
    lowest, highest = 1, _MOST
    for level in range(1, max(high, -low) + 1):
        half = (2 * level - 1) << (right + 30)  # sum * multiplier reaches it: up to this level
        first = -((-half << 32) // factor)  # the smallest sum that does
        if first > _MOST:
            break
        half >>= smaller  # exactly: it ends with more zeros
        if level <= high:
            lowest = max(lowest, -(-half // first))
            if first > 1:
                highest = min(highest, -(-half // (first - 1)) - 1)
        if level <= -low:  # from above 1/2 - level
            lowest = max(lowest, half // first + 1)
            if first > 1:
                highest = min(highest, half // (first - 1))
    return lowest, highest
