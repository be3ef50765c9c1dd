"""Why a layer runs with which kernel, in C programs and in the delegate."""

import dataclasses
import pathlib
import re

from keras_prune.runtime.delegate import option_text
from keras_prune.runtime.interpreter import Job, run_jobs
from keras_prune.runtime.native import library, library_path
from keras_prune.tables import render_table

DELEGATE = "delegate"
_LINE = re.compile(r"keras_prune: node (\d+) (claimed|declined)(?: with its DENSIFY)?: (.*)")
_FIGURES = re.compile(r"(?P<what>.*) \((?P<figures>[\d.]+ % zeros, (?:expected|measured) .*)\)")
_NUMBER = re.compile(r"[\d.]+")


@dataclasses.dataclass(frozen=True)
class Choice:
    """A kernel that could run an operator, or for the delegate the verdict on one.

    Args:
        index: Int. The operator in the file.
        operator: Str. Its kind.
        output_shape: Tuple of ints.
        kernel: Str. Empty where the delegate leaves the operator to the interpreter.
        chosen: Bool.
        reason: Str. Why, where that is known.
        stored_bytes: Int or `None`. Weights as the kernel reads them.
        instructions: Int or `None`. Estimated, for C programs.
        microseconds: Float or `None`. Expected of the delegate's best kernel, whether it was taken
            or not.
        stock_microseconds: Float or `None`. Expected of the interpreter for dense weights.
        int8_microseconds: Float or `None`. The same if the layer were int8.
        measured: Bool. Whether `microseconds` were measured when the file was loaded.
    """

    index: int
    operator: str
    output_shape: tuple
    kernel: str
    chosen: bool
    reason: str = ""
    stored_bytes: int | None = None
    instructions: int | None = None
    microseconds: float | None = None
    stock_microseconds: float | None = None
    int8_microseconds: float | None = None
    measured: bool = False


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What `explain` returns; prints as a table.

    Args:
        path: Str. The file.
        target: Str.
        choices: Tuple of `Choice`, in the order of the operators.
    """

    path: str
    target: str
    choices: tuple

    def to_dict(self):
        """Return everything as a dict that JSON can hold."""
        return dataclasses.asdict(self)

    def __str__(self):
        title = f"{pathlib.Path(self.path).name} for {self.target}"
        if self.target == DELEGATE:
            columns = ["#", "operator", "output", "runs", ">us", ">stock us", ">int8 us", "why"]
            rows = [_delegate_cells(choice) for choice in self.choices]
        else:
            columns = ["#", "operator", "output", "", "kernel", ">bytes", ">est. instructions"]
            rows = [_program_cells(choice) for choice in self.choices]
        return render_table(title, columns, rows)


def explain(path, target=DELEGATE, **options):
    """Tell for every operator of a .tflite file which kernel runs it, and why.

    For a processor of `export_c` the kernels that a layer with weights could have stand below
    each other, with their bytes and estimated instructions; the smallest product of both is chosen.
    For the delegate the file is loaded once; every node is taken, or left to the interpreter for
    the reason that is given, with the times that the decision was made by. A float32 layer also
    says what the interpreter is expected to take for dense int8 weights.

    Example:

    ```python
    print(kp.explain("model.tflite", target="cortex-m4"))
    print(kp.explain("model.tflite"))
    ```

    Args:
        path: Path-like. The file.
        target: Str. `"delegate"`, or a target of `export_c`. Defaults to `"delegate"`.
        **options: Options of the delegate, as for `load_delegate`; for a C program
            `weights_as_code`, as for `export_c`.

    Returns:
        An `Explanation`.

    Raises:
        ValueError: If the target is unknown, the file is broken or, for a C program, holds an
            operator that is not supported.
        ImportError: If the delegate has not been built, or LiteRT is not installed.
    """
    path = pathlib.Path(path)
    if target != DELEGATE and set(options) - {"weights_as_code"}:
        raise ValueError(
            "Only the delegate takes options, and a C program `weights_as_code`. "
            f"Received: target={target!r}, options={sorted(options)}"
        )
    if target == DELEGATE:
        choices = _of_delegate(path, options)
    else:
        choices = _of_program(path, target, **options)
    return Explanation(str(path), target, tuple(choices))


def _of_program(path, target, weights_as_code=False):
    from keras_prune.export.c.graph import read_graph
    from keras_prune.export.c.lowering import lower
    from keras_prune.runtime.c_targets import TARGETS, find_target

    if target not in TARGETS:
        raise ValueError(
            "Invalid value for argument `target`. Expected one of "
            f"{sorted([DELEGATE, *TARGETS])}. Received: target={target!r}"
        )
    for step in lower(read_graph(path), find_target(target), weights_as_code):
        if not step.kernel:
            continue
        end = step.index, step.kind, step.output.shape
        if not step.candidates:
            yield Choice(*end, step.kernel, True, instructions=round(step.instructions))
        for each in sorted(step.candidates, key=lambda each: each.kernel != step.kernel):
            yield Choice(
                *end,
                each.kernel,
                each.kernel == step.kernel and each.encoding == step.weights.encoding,
                stored_bytes=each.stored_bytes,
                instructions=round(each.instructions),
            )


def _of_delegate(path, options):
    from keras_prune.export.flatbuffer import operator_name, read_model

    model = read_model(path)
    library()  # says what is missing
    texts = {name: option_text(value) for name, value in options.items()}
    delegate = {"library": str(library_path()), "options": {**texts, "verbose": "true"}}
    result = run_jobs({"": Job(path, delegate=delegate)}, random_samples=0)[""]
    if result.error:
        raise ValueError(f"The file does not run: {result.error}. Received: path={path}")
    notes = dict(map(_read_note, filter(_LINE.fullmatch, result.notes)))
    graph = model.subgraphs[0]
    for index, operator in enumerate(graph.operators):
        shape = tuple(int(size) for size in graph.tensors[operator.outputs[0]].shape)
        end = index, operator_name(model, operator), shape
        yield Choice(*end, **notes.get(index, {"kernel": "", "chosen": False}))


def _read_note(line):
    node, verdict, rest = _LINE.fullmatch(line).groups()
    found = _FIGURES.fullmatch(rest)
    what = found["what"] if found else rest
    claimed = verdict == "claimed"
    choice = {"kernel": what if claimed else "", "chosen": claimed}
    choice["reason"] = "" if claimed else what
    if found:
        names = ("microseconds", "stock_microseconds", "int8_microseconds")
        _, *times = (float(number) for number in _figures(found["figures"]))
        choice |= dict(zip(names, times, strict=False))
        choice["measured"] = "measured" in found["figures"]
    return int(node), choice


def _figures(text):
    # "90.0 % zeros, expected 1.0 us, stock 2.0 us, stock with dense int8 weights 3.0 us"
    for part in text.split(", "):
        yield _NUMBER.search(part.replace("int8", ""))[0]


def _delegate_cells(choice):
    times = (choice.microseconds, choice.stock_microseconds, choice.int8_microseconds)
    marks = ("*" if choice.measured else "", "", "")  # measured, not only expected
    shown = (
        "" if time is None else f"{time:.1f}{mark}" for time, mark in zip(times, marks, strict=True)
    )
    runs = choice.kernel or "LiteRT"
    return (choice.index, choice.operator, _shape(choice), runs, *shown, choice.reason)


def _program_cells(choice):
    numbers = (choice.stored_bytes, choice.instructions)
    shown = ("" if number is None else f"{number:,}" for number in numbers)
    mark = "*" if choice.chosen else ""
    return (choice.index, choice.operator, _shape(choice), mark, choice.kernel, *shown)


def _shape(choice):
    return "x".join(str(size) for size in choice.output_shape)
