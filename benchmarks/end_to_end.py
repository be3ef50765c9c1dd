"""The demo's table on digits and MNIST over several seeds: `python -m benchmarks.end_to_end`.

Every row is the median over the seeds; accuracy also shows the spread. The data
sets' test parts are looked at once, by this table.
"""

import argparse
import statistics
import tempfile

from benchmarks import results
from examples import demo

NAME = "end_to_end"


def measure(datasets, seeds):
    """Run the demo for each data set and seed."""
    runs = []
    for dataset in datasets:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                runs.append(demo.run(dataset, folder=folder, seed=seed))
    return runs


def tables(document):
    """The Markdown of all data sets."""
    parts = []
    for dataset in dict.fromkeys(run["dataset"] for run in document["results"]):
        runs = [run for run in document["results"] if run["dataset"] == dataset]
        parts.append(_table(dataset, runs))
    return "\n\n".join([*parts, results.provenance(document)])


def _table(dataset, runs):
    def accuracy(values):
        percent = [100 * value for value in values]
        return f"{statistics.mean(percent):.2f} ({min(percent):.2f} to {max(percent):.2f})"

    def median(rows, *keys, form="{:,.0f}"):
        values = [row[key] for row in rows for key in keys if row.get(key) is not None]
        return form.format(statistics.median(values)) if values else ""

    lines = [
        (
            rows[0]["model"],
            rows[0]["runtime"],
            demo.accuracy_cell(rows[0])
            if rows[0]["accuracy"] is None
            else accuracy([row["accuracy"] for row in rows]),
            median(rows, "bytes", "flash_bytes"),
            median(rows, "gzip_bytes"),
            median(rows, "ram_bytes"),
            median(rows, "microseconds", form="{:,.1f}"),
            median(rows, "instructions"),
        )
        for rows in zip(*(run["rows"] for run in runs), strict=True)
    ]
    heading = (
        f"**{dataset}**, {runs[0]['test_images']:,} test images, {len(runs)} seeds, "
        f"{runs[0]['sparsity']:.1%} of the weights zero. In Keras: dense "
        f"{accuracy([run['keras_accuracy']['dense'] for run in runs])} %, pruned "
        f"{accuracy([run['keras_accuracy']['pruned'] for run in runs])} %."
    )
    columns = ["model", "runtime", ">accuracy, % (range)", ">bytes (C: flash)", ">gzip", ">RAM"]
    columns += [">time, us", ">instructions"]
    return f"{heading}\n\n{results.markdown_table(columns, lines)}"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["digits", "mnist"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tables-only", action="store_true", help="measure nothing anew")
    arguments = parser.parse_args(argv)
    if not arguments.tables_only:
        runs = measure(arguments.datasets, arguments.seeds)
        results.save(NAME, runs, seeds=arguments.seeds, threads=1)
    results.write_tables(NAME, tables(results.load(NAME)))


if __name__ == "__main__":
    main()
