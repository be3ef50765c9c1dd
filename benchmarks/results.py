"""Result files and the tables that are generated from them.

A benchmark measures, calls `save`, and the tables between the markers
`<!-- results:NAME -->` and `<!-- /results:NAME -->` of the documents are
written anew from its file by `write_tables`.
"""

import datetime
import importlib.metadata
import json
import pathlib
import platform
import re

from keras_prune.files import write_atomically

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
FOLDER = REPOSITORY / "benchmarks" / "results"
PACKAGES = ("keras", "tensorflow-cpu", "tensorflow", "ai-edge-litert", "jax", "torch", "numpy")


def save(name, results, **settings):
    """Keep what a benchmark measured, with date, versions and machine.

    Args:
        name: Str. The benchmark; the file is `benchmarks/results/<name>.json`.
        results: What was measured, as JSON-able values.
        **settings: What it was measured with: seeds, repeats, thread counts.
    """
    FOLDER.mkdir(exist_ok=True)
    document = {
        "benchmark": name,
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version(), **_installed()},
        "machine": _processor(),
        "settings": settings,
        "results": results,
    }
    write_atomically(FOLDER / f"{name}.json", f"{json.dumps(document, indent=1)}\n".encode())


def load(name):
    """The document that `save` wrote."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def stored(name):
    """The results in the document that `save` wrote; an empty list where there is none yet."""
    return load(name)["results"] if (FOLDER / f"{name}.json").exists() else []


def add(name, run, keys, **settings):
    """Put one run with its seed among the stored results, or in the place of an earlier one.

    Other processes may do so meanwhile, one at a time.

    Args:
        name: Str.
        run: Dict of JSON-able values, with "seed" among them.
        keys: Tuple of str. The entries of `run` that tell it from others.
        **settings: See `save`.
    """
    run = json.loads(json.dumps(run))
    others = [old for old in stored(name) if any(old[key] != run[key] for key in keys)]
    runs = [*others, run]
    save(name, runs, seeds=sorted({one["seed"] for one in runs}), **settings)


def has(name, wanted):
    """Whether a run with all these entries is among the stored results.

    Args:
        name: Str.
        wanted: Dict.
    """
    wanted = json.loads(json.dumps(wanted))
    return any(run.items() >= wanted.items() for run in stored(name))


def write_tables(name, markdown):
    """Replace the generated part `name` in every document that has its markers.

    Args:
        name: Str. The marker's name.
        markdown: Str. What stands between the markers from now on.
    """
    pattern = re.compile(
        rf"(<!-- results:{re.escape(name)} -->\n).*?(<!-- /results:{re.escape(name)} -->)",
        re.DOTALL,
    )
    for path in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]:
        text = path.read_text()
        fresh = pattern.sub(lambda match: f"{match[1]}\n{markdown}\n\n{match[2]}", text)
        if fresh != text:
            write_atomically(path, fresh.encode())


def markdown_table(columns, rows):
    """A Markdown table; a column whose name starts with `>` is right-aligned."""
    lines = [
        "| " + " | ".join(column.lstrip(">") for column in columns) + " |",
        "|" + "|".join("---:" if column.startswith(">") else "---" for column in columns) + "|",
    ]
    lines += ["| " + " | ".join(str(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def provenance(document):
    """One line that says when and with what a table was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    settings = ", ".join(f"{name} {value}" for name, value in document["settings"].items())
    return f"Measured {document['date']} on {document['machine']}; {versions}; {settings}."


def _installed():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _processor():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    match = re.search(r"model name\s*:\s*(.*)", text)
    return match[1] if match else platform.machine()
