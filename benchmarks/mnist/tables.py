"""The Markdown that is made of the runs."""

import statistics

from benchmarks import results

SPARSITIES = {"schedules": (0.8, 0.9, 0.95, 0.98), "initialization": (0.98, 0.99, 0.995)}


def markdown(document, rows):
    """All tables.

    Args:
        document: What `results.load` returned.
        rows: `Row`s, in the order of the tables.

    Returns:
        Str.
    """
    runs = {row.key: [] for row in rows}
    for run in sorted(document["results"], key=lambda run: run["seed"]):
        if run["row"] in runs:
            runs[run["row"]].append(run["measured"])
    rows = [row for row in rows if runs[row.key]]
    parts = [
        published(rows, runs),
        _side_by_side(
            "From the trained network to a sparsity in equally many epochs, error in percent "
            "(LeNet-300-100, uniform sparsity):",
            {"at once": "one-shot-{}", "little by little": "gradual-{}"},
            SPARSITIES["schedules"],
            runs,
        ),
        _side_by_side(
            "Pruned at initialization, error in percent (LeNet-300-100):",
            {"SNIP": "snip-lenet-300-100-{}", "GraSP": "grasp-lenet-300-100-{}"},
            SPARSITIES["initialization"],
            runs,
        ),
        *(lottery(runs[row.key]) for row in rows if row.table == "lottery"),
        choices(rows),
        results.provenance(document),
    ]
    return "\n\n".join(part for part in parts if part)


def published(rows, runs):
    """The table of published figures with ours beside them."""
    lines = []
    for row in rows:
        if row.paper is not None:
            found = runs[row.key]
            shape = _filters(row.architecture) or f"{row.paper[0]:.1f}x"
            ours = _compressions(found)
            if row.architecture:
                ours = ", ".join(sorted({_filters(architecture(run)) for run in found}))
            lines.append(
                (
                    row.method,
                    row.network,
                    shape,
                    row.paper[1],
                    ours,
                    spread([run["error"] for run in found]),
                    len(found),
                    "reached" if reached(row, found) else "not reached",
                )
            )
    columns = ["method", "network", ">paper: size", ">error, %", ">ours: size"]
    columns += [">error, % (range)", ">runs", ""]
    return results.markdown_table(columns, lines) if lines else ""


def reached(row, found):
    """Whether the runs are as good as the paper.

    Args:
        row: `Row` with a `paper`.
        found: List of what `Task.measured` returned.

    Returns:
        Bool: the mean error, rounded to the paper's digits, is not above the paper's, and no run
        is larger: in compression (to 0.1 %, the rounding of single weights) or in any of the
        layers of the architecture.
    """
    digits = len(row.paper[1].partition(".")[2])
    error = round(statistics.mean(run["error"] for run in found), digits)
    if row.architecture:
        small = all(
            ours <= theirs
            for run in found
            for ours, theirs in zip(architecture(run), row.architecture, strict=True)
        )
    else:
        small = all(run["compression"] >= 0.999 * row.paper[0] for run in found)
    return small and error <= float(row.paper[1])


def architecture(run):
    """Tuple of ints. What is left of LeNet-5: filters of both convolutions, inputs and units."""
    first, second, units, _ = run["filters"]
    return first, second, 16 * second, units  # maps of 4x4 values reach the first dense layer


def spread(values):
    """Mean, and the range where there is more than one value."""
    text = f"{statistics.mean(values):.2f}"
    return text if len(values) == 1 else f"{text} ({min(values):.2f} to {max(values):.2f})"


def _compressions(found):
    low, high = (pick(run["compression"] for run in found) for pick in (min, max))
    texts = list(dict.fromkeys((f"{low:.1f}x", f"{high:.1f}x")))
    return " to ".join(texts)


def _filters(numbers):
    return "-".join(map(str, numbers or ()))


def _side_by_side(title, kinds, sparsities, runs):
    lines = [
        (name, *(_errors(runs.get(key.format(sparsity))) for sparsity in sparsities))
        for name, key in kinds.items()
    ]
    if not any(cell for line in lines for cell in line[1:]):
        return ""
    columns = ["", *(f">{sparsity:.1%}" for sparsity in sparsities)]
    return f"{title}\n\n{results.markdown_table(columns, lines)}"


def _errors(found):
    return spread([run["error"] for run in found]) if found else ""


def lottery(found):
    """The curve: a line for each density."""
    names = list(dict.fromkeys(key.split()[0] for run in found for key in run))
    densities = list(dict.fromkeys(key.split()[1] for run in found for key in run))
    lines = []
    for density in densities:
        points = [[run.get(f"{name} {density}") for run in found] for name in names]
        cells = [_errors([point for point in column if point]) for column in points]
        lines.append((f"{float(density):.1%}", *cells))
    columns = [">density", *(f">{name.replace('_', ' ')}" for name in names)]
    title = "The lottery ticket, error in percent (LeNet-300-100):"
    return f"{title}\n\n{results.markdown_table(columns, lines)}"


def choices(rows):
    """How the settings were chosen, a line for each row that says so."""
    lines = [f"- `{row.key}`: {row.notes}" for row in rows if row.notes]
    return "What was tried, on validation images:\n\n" + "\n".join(lines) if lines else ""
