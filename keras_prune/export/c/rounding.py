"""Scale factors of 31 bits that give a dense layer the same bytes as its 53 bits.

A layer's output is a step function of its sum, and rises at no more than 255 sums. A shorter
multiplier that rises at the same ones computes the same function, in one multiplication and one
shift; halves may even be rounded upwards, where LiteRT rounds them away from zero.
"""

_MOST = (1 << 31) - 1


def round_up_multipliers(multipliers, low, shifts, levels):
    """Return multipliers for `floor(sum * multiplier * 2**(shift - 31) + 1/2)`, or `None`.

    Args:
        multipliers: Ints.
        low: Ints: `(multiplier + low / 2**32) * 2**(shift - 31)` is a factor.
        shifts: Ints, which stay as they are.
        levels: Pair of ints. Results are clamped to them.

    Returns:
        List of ints, or `None` where a factor has no such multiplier.
    """
    found = []
    for multiplier, rest, shift in zip(multipliers, low, shifts, strict=True):
        if not 1 <= -shift <= 31 or multiplier == 0:
            return None
        lowest, highest = _bounds((int(multiplier) << 32) + int(rest), -int(shift), levels)
        if lowest > highest:
            return None
        found.append(min(max(int(multiplier), lowest), highest))
    return found


def _bounds(factor, right, levels):
    # The multipliers that rise where `factor`, of 63 bits, does.
    low, high = levels
    lowest, highest = 1, _MOST
    for level in range(1, max(high, -low) + 1):
        half = (2 * level - 1) << (right + 30)  # sum * multiplier reaches it: up to this level
        first = -((-half << 32) // factor)  # the smallest sum that does
        if first > _MOST:
            break
        if level <= high:
            lowest = max(lowest, -(-half // first))
            if first > 1:
                highest = min(highest, -(-half // (first - 1)) - 1)
        if level <= -low:  # from above 1/2 - level
            lowest = max(lowest, half // first + 1)
            if first > 1:
                highest = min(highest, half // (first - 1))
    return lowest, highest
