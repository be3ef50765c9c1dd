"""What a C project costs: flash, RAM and estimated instructions, layer by layer."""

import dataclasses

from keras_prune.tables import render_table


@dataclasses.dataclass(frozen=True)
class CLayer:
    """One operator of the project.

    `encoding` is `dense`, `stream`, `twins` (pairs of neighbouring inputs, and a stream of the
    others), `blocks` (of 1x4), `groups4`, `groups8` (1:4, 1:8), `columns`, `fours`, `code`
    (instructions) or empty for operators without weights; `live` is the share of inputs that were
    not zero on calibration data, `1.0` where nothing is known.
    `instructions` is the estimate by which the encoding was chosen.
    """

    index: int
    operator: str
    output_shape: tuple
    kernel: str
    encoding: str
    sparsity: float
    dense_bytes: int
    stored_bytes: int
    macs: int
    instructions: int
    live: float = 1.0


@dataclasses.dataclass(frozen=True)
class CProjectReport:
    """The figures of a C project.

    `weight_bytes` are the weights as stored, `dense_weight_bytes` what they would take dense,
    `constant_bytes` biases, multipliers and shifts. `code_bytes`, which leaves out weights that
    are code, and `stack_bytes` (an upper bound) are `None` where the compiler of the target is not
    installed. `scratch_bytes` is the largest scratch memory of a layer, a part of `arena_bytes`.
    """

    target: str
    weight_bytes: int
    dense_weight_bytes: int
    constant_bytes: int
    code_bytes: int | None
    arena_bytes: int
    scratch_bytes: int
    stack_bytes: int | None
    layers: tuple

    @property
    def flash_bytes(self):
        """Weights, other constants and, where known, code."""
        return self.weight_bytes + self.constant_bytes + (self.code_bytes or 0)

    @property
    def instructions(self):
        """Estimated instructions of one inference."""
        return sum(layer.instructions for layer in self.layers)

    def to_dict(self):
        """Return the figures as plain numbers, strings, lists and dicts."""
        figures = dataclasses.asdict(self)
        figures["layers"] = [dict(layer) for layer in figures["layers"]]
        return figures | {"flash_bytes": self.flash_bytes, "instructions": self.instructions}

    def __str__(self):
        columns = ["#", "Operator", "Output", "Weights", ">Zeros", ">Live inputs", ">Dense B"]
        columns += [">Stored B", ">MACs", ">Est. instructions"]
        rows = [_row(layer) for layer in self.layers]
        macs = sum(layer.macs for layer in self.layers)
        sums = (self.dense_weight_bytes, self.weight_bytes, macs, self.instructions)
        total = ["", "Total", *[""] * 4, *(f"{value:,}" for value in sums)]
        table = render_table(f"C project for {self.target}", columns, rows, footer=total)
        code = "code not measured" if self.code_bytes is None else f"code {self.code_bytes:,}"
        stack = "stack not measured"
        if self.stack_bytes is not None:
            stack = f"stack at most {self.stack_bytes:,}"
        return (
            f"{table}\n\n"
            f"Flash: {self.flash_bytes:,} bytes (weights {self.weight_bytes:,}, other constants "
            f"{self.constant_bytes:,}, {code})\n"
            f"RAM: arena {self.arena_bytes:,} bytes (scratch {self.scratch_bytes:,} of them), "
            f"{stack}"
        )


def _row(layer):
    shape = "x".join(str(size) for size in layer.output_shape)
    cells = [layer.index, layer.operator, shape, layer.encoding]
    if layer.encoding:
        cells += [f"{layer.sparsity:.1%}", f"{layer.live:.1%}" if layer.live < 1.0 else ""]
        cells += [f"{layer.dense_bytes:,}", f"{layer.stored_bytes:,}"]
    else:
        cells += [""] * 4
    return [*cells, f"{layer.macs:,}" if layer.macs else "", f"{layer.instructions:,}"]
