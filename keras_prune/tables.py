"""Plain-text tables for reports, drawn by rich."""

import io

from rich import box
from rich.console import Console
from rich.table import Table


def render_table(title, columns, rows, footer=None, width=110):
    """Draw a table as plain text.

    Args:
        title: Str. The line above the table.
        columns: List of str. A name that starts with `>` is right-aligned.
        rows: List of rows, each a sequence with one printable value a column.
        footer: Row or `None`. A last row, set apart by a rule.
        width: Int. Characters in a line. Defaults to `110`.

    Returns:
        A string without trailing whitespace, ending without a newline.
    """
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row))
    if footer is not None:
        table.add_section()
        table.add_row(*(str(value) for value in footer))
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    console.print(table, markup=False)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()).strip("\n")
