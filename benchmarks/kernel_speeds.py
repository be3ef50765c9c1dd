"""What `kp.Auto` chooses by, as a table in the documents: `python -m benchmarks.kernel_speeds`.

Nothing is measured: the figures are those of `keras_prune/granularity/kernel_speeds.py`.
"""

from benchmarks import results
from keras_prune.granularity.kernel_speeds import COLUMNS, SPEEDS

NAME = "kernel_speeds"
KINDS = {
    "dense": "dense",
    "pointwise": "convolution 1x1",
    "conv": "convolution",
    "grouped": "grouped convolution",
}


def table():
    """The Markdown of all targets; those that share their kernels share their rows."""
    groups = {}
    for target, types in SPEEDS.items():
        for dtype, kinds in types.items():
            for kind, speeds in kinds.items():
                groups.setdefault((dtype, kind, speeds), []).append(target)
    rows = []
    for (dtype, kind, speeds), targets in groups.items():
        for speed in speeds:
            cells = [f"{value:g}x" for value in speed.speeds]
            stored = "" if speed.stored is None else " / ".join(f"{b:.2f}" for b in speed.stored)
            rows.append((", ".join(targets), dtype, KINDS[kind], speed.shape, *cells, stored))
    columns = ["target", "type", "layer", "shape", *(f">{column:.0%}" for column in COLUMNS)]
    return results.markdown_table([*columns, "bytes a weight"], rows)


def main(argv=None):
    del argv
    results.write_tables(NAME, table())


if __name__ == "__main__":
    main()
