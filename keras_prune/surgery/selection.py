"""Which units can go: those that nobody reads, or of which everybody reads a constant."""

import dataclasses

import numpy as np


@dataclasses.dataclass(eq=False)
class Selection:
    """The units that go, what they leave behind, and why others stay.

    Args:
        removed: Bool array (units,), the same for all units of a group.
        merged: List of tuples (reader, position, into, factor): the kernel at a position goes,
            times a factor, to another position that stands in for it.
        hindered: Int array (units,). The index of a reader that needs the unit; -1 for none.
        padded: Bool array (units,). Whether that is for a constant within a border alone.
    """

    removed: np.ndarray
    merged: list
    hindered: np.ndarray
    padded: np.ndarray


def select(body, round_to=1, min_width=1):
    """Choose the groups to remove.

    A group goes if each of its readers finds only zero weights behind it (towards outputs that
    stay), or one number for all inputs and places, which the reader's bias takes up. A number
    that padding mixes with zeros cannot be taken up by a bias: of several such units of a
    layer, one stays and stands in for all.

    Args:
        body: `Anatomy`, complete.
        round_to: Int. Widths of layers become multiples of it, by units that stay though they
            could go.
        min_width: Int. The fewest units that a layer keeps.

    Returns:
        A `Selection`.
    """
    roots = body.units.roots(range(len(body.units)))
    stays = np.zeros(len(roots), bool)  # over roots; read as stays[roots]
    stays[body.units.roots(body.units.protected)] = True
    while True:
        found = _removable(body, roots, stays)
        more = _missing(body, roots, found.removed, round_to, min_width)
        if not more:
            return found
        stays[list(more)] = True


def _removable(body, roots, stays):
    removed = np.zeros(len(roots), bool)
    while True:
        needed, framed = stays.copy(), np.zeros(len(roots), bool)
        hindered = np.full(len(roots), -1)
        for index, reader in enumerate(body.readers):
            read = _reads(reader, roots, removed) & reader.varying
            own = roots[reader.ids]
            for mark, positions in ((needed, ~reader.mergeable), (framed, reader.mergeable)):
                hit = own[read & positions]
                mark[hit] = True
                hindered[hit[hindered[hit] < 0]] = index
        framed &= ~needed
        merged, spared = _stand_ins(body, roots, framed)
        now = ~(needed | framed)[roots] | spared[roots]
        if (now == removed).all():
            return Selection(removed, merged, hindered[roots], framed[roots])
        removed = now


def _reads(reader, roots, removed):
    """Bool array (positions,). Whether a position is read by other units that stay."""
    outputs = reader.outputs
    known = outputs >= 0
    alive = ~known
    alive[known] = ~removed[outputs[known]]
    used = reader.used[:, alive]
    made = np.full(len(outputs), -1)
    made[known] = roots[outputs[known]]
    own = roots[reader.ids]
    if np.isin(own, made).any():  # a recurrent unit that only reads itself is not needed for that
        used = used & (own[:, None] != made[alive])
    return used.any(axis=1)


def _stand_ins(body, roots, framed):
    """Let one unit of a layer stand in for all that emit a constant into a border.

    Args:
        body: `Anatomy`.
        roots: Int array (units,).
        framed: Bool array over roots: those that are needed for such a constant alone.

    Returns:
        Tuple (merged, spared): see `Selection`, and a bool array over roots, those that go.
    """
    merged, spared = [], np.zeros(len(roots), bool)
    for family in _families(body, roots, framed):
        members = list(family)
        values = np.array([[r.constant[at] for r, at in family[root]] for root in members])
        use = np.any([[r.mergeable[at] for r, at in family[root]] for root in members], axis=0)
        values = np.where(use, np.nan_to_num(values), 0.0)  # NaN: read by zero weights alone
        best = int(np.argmax(np.abs(values[:, use]).min(axis=1)))
        if not values[best, use].all():
            continue
        for root, row in zip(members, values, strict=True):
            if root == members[best]:
                continue
            spared[root] = True
            for column in np.flatnonzero(row):
                reader, position = family[root][column]
                factor = row[column] / values[best, column]
                merged.append((reader, position, family[members[best]][column][1], factor))
    return merged, spared


def _families(body, roots, framed):
    """Sort units by who reads them.

    Returns:
        List of dicts from roots to lists of (reader, position): all in a dict are read by the same
        readers, in the same order, behind the same borders.
    """
    places = {}
    for index, reader in enumerate(body.readers):
        own = roots[reader.ids]
        for position in np.flatnonzero(framed[own]):
            place = (index, bool(reader.framed[position])), (reader, int(position))
            places.setdefault(int(own[position]), []).append(place)
    families = {}
    for root, found in places.items():
        family = families.setdefault(tuple(key for key, _ in found), {})
        family[root] = [place for _, place in found]
    return list(families.values())


def _missing(body, roots, removed, round_to, min_width):
    """Roots that must stay so that every layer has a width that it may have."""
    more = set()
    for part in body.parts.values():
        if part.made is None:
            continue
        own = roots[part.made]
        gone = removed[part.made] & ~np.isin(own, list(more))
        left = int((~gone).sum())
        wanted = min(len(own), max(min_width, -(-left // round_to) * round_to))
        for root in own[gone]:
            if left >= wanted:
                break
            if int(root) not in more:
                more.add(int(root))
                left += int((own == root).sum())
    return more
