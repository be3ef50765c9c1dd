"""FULLY_CONNECTED as a call of an int8 kernel."""

import numpy as np

from keras_prune.export.c import armv81m, armv81m_dense, dense_cost, tile_cost
from keras_prune.export.c.steps import SCRATCH, Step
from keras_prune.export.c.weighted import (
    PORTABLE,
    Candidate,
    bias_of,
    ends_of,
    pack_groups,
    requantization,
    take_best,
    weights_of,
    worth_packing,
)
from keras_prune.export.c.windows import dense_batch
from keras_prune.runtime import packers

ARMV6M, ARMV7EM = "kernels/armv6m", "kernels/armv7em"
ROWS = f"{PORTABLE}/requantize_rows_s8.c"
STREAM_ROWS = f"{ARMV7EM}/sum_rows_s8_stream.c"


def fully_connected(node, target):
    """Lower FULLY_CONNECTED: weights (rows, cols), any leading input dimensions as batch."""
    source, output = ends_of(node)
    weights = weights_of(node, rank=2, channel_axis=0)
    rows, cols = weights.shape
    batch = dense_batch(node, source, weights, output)
    step = Step(node.index, node.kind, [source], output, macs=batch * rows * cols)
    matrix = weights.data
    best, stored = take_best(step, matrix, _candidates(matrix, target, batch, source.live))
    step.arguments += [str(batch), str(rows), str(cols)]
    if best.group:
        step.arguments.append(str(best.group))
    bias = bias_of(step, node, matrix, -source.zero_point if best.folds_offset else None)
    requantization(
        step, node, source, weights, output, rows, matrix, exact=True, rounds_up=best.rounds_up
    )
    step.arguments += [source, stored, bias, output]
    if best.scratch_bytes:
        step.arguments.append(SCRATCH)
    return step


def _candidates(matrix, target, batch, live):
    dense = _dense_on_dsp if target.dsp else _dense
    made = [dense(matrix, target, batch)]
    if target.vectors == "mve":
        made = [armv81m_dense.dense_layer(matrix, batch) or made[0]]
    if not worth_packing(matrix):
        return made
    if batch > 1 or target.is_host:
        made.append(_stream(matrix, target, batch))
    if not target.is_host:
        made.append(_stream_of_vector(matrix, target, batch))
    if target.dsp:
        made += [_twins(matrix, target, batch), _blocks(matrix, target, batch)]
        made += _groups(matrix, target, batch)
    if target.vectors == "mve":
        made += armv81m.dense_layers(matrix, batch)
    made.append(_columns(matrix, target, batch, live))
    return [each for each in made if each is not None]


def _dense(matrix, target, batch):
    return Candidate(
        "dense",
        "spk_fully_connected_s8_dense__c",
        (f"{PORTABLE}/fully_connected_s8_dense.c", ROWS),
        matrix.reshape(-1),
        dense_cost.dense(target, matrix, batch),
    )


def _dense_on_dsp(matrix, target, batch):
    return Candidate(
        "dense",
        "spk_fully_connected_s8_dense__armv7em",
        (f"{ARMV7EM}/fully_connected_s8_dense.c", ROWS),
        matrix.reshape(-1),
        dense_cost.dense(target, matrix, batch),
        widened_bytes(matrix.shape[1]),
        rounds_up="layer",
    )


def _stream(matrix, target, batch):
    cols = matrix.shape[1]
    stream = np.frombuffer(packers.pack_stream_s8(matrix), np.uint8)
    tiled = tile_cost.stream(target, matrix, stream.size, batch)
    return Candidate(
        "stream",
        "spk_fully_connected_s8_stream__c",
        (
            f"{PORTABLE}/fully_connected_s8_stream.c",
            f"{PORTABLE}/conv2d_s8_stream.c",
            f"{PORTABLE}/tile_s8.c",
            f"{PORTABLE}/tile_stream_s8.c",
            ROWS,
        ),
        stream,
        dense_cost.stream(target, matrix, stream.size) if batch == 1 else tiled,
        2 * cols if batch == 1 else tile_cost.TILE_BYTES * cols,
    )


def _stream_of_vector(matrix, target, batch):
    try:
        stream = np.frombuffer(packers.pack_stream_s8(matrix, odd=target.dsp), np.uint8)
    except ValueError:  # a row without zeros, or too long a one
        return None
    family, sources = "armv6m", (f"{ARMV6M}/fully_connected_s8_stream.c",)
    if target.dsp:
        family, sources = "armv7em", (f"{ARMV7EM}/fully_connected_s8_stream.c", STREAM_ROWS)
    return Candidate(
        "stream",
        f"spk_fully_connected_s8_stream__{family}",
        (*sources, ROWS),
        stream,
        dense_cost.stream(target, matrix, stream.size, batch),
        folds_offset=True,
        rounds_up="layer" if target.dsp else None,
    )


def _twins(matrix, target, batch):
    rows, cols = matrix.shape
    try:
        twins = np.frombuffer(packers.pack_twins_s8(matrix), np.uint8)
    except ValueError:  # too many inputs
        return None
    fours = int(twins[4 : 4 + rows].sum())
    pairs = (twins.size - int(twins[:4].view("<u4")[0])) / 2 - rows
    return Candidate(
        "twins",
        "spk_fully_connected_s8_twins__armv7em",
        (f"{ARMV7EM}/fully_connected_s8_twins.c", STREAM_ROWS, ROWS),
        twins,
        dense_cost.twins(target, matrix, fours, pairs, batch),
        2 * widened_bytes(cols),
        folds_offset=True,
        rounds_up="layer",
    )


def _blocks(matrix, target, batch):
    try:
        blocks = np.frombuffer(packers.pack_blocks_s8(matrix), np.uint8)
    except ValueError:  # too long a row
        return None
    return Candidate(
        "blocks",
        "spk_fully_connected_s8_blocks__armv7em",
        (f"{ARMV7EM}/fully_connected_s8_blocks.c", ROWS),
        blocks,
        dense_cost.blocks(target, matrix, blocks.size, batch),
        widened_bytes(matrix.shape[1]),
        folds_offset=True,
        rounds_up="layer",
    )


def _groups(matrix, target, batch):
    for m, groups in pack_groups(matrix):
        yield Candidate(
            f"groups{m}",
            "spk_fully_connected_s8_groups__armv7em",
            (f"{ARMV7EM}/fully_connected_s8_groups.c", ROWS),
            groups,
            dense_cost.groups(target, matrix, m, batch),
            folds_offset=True,
            group=m,
            rounds_up="layer",
        )


def _columns(matrix, target, batch, live):
    columns = np.frombuffer(packers.pack_stream_s8(matrix.T), np.uint8)
    return Candidate(
        "columns",
        "spk_fully_connected_s8_columns__c",
        (f"{PORTABLE}/fully_connected_s8_columns.c", ROWS),
        columns,
        dense_cost.columns(target, matrix, columns.size, batch, live),
        4 * matrix.shape[0],
        rounds_up="layer" if target.dsp else None,
    )


def widened_bytes(cols):
    """Bytes of scratch for one input as int16, filled up to a multiple of four."""
    return 2 * (cols + -cols % 4)
