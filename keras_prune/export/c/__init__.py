"""A self-contained C11 project from an int8 .tflite file, for microcontrollers.

Names are looked up when they are used: modules beside this package import parts of it, and those
import them.
"""

import importlib

_HOMES = {
    "CLayer": "keras_prune.export.c.report",
    "CProjectReport": "keras_prune.export.c.report",
    "export_c": "keras_prune.export.c.project",
}

__all__ = ["CLayer", "CProjectReport", "export_c"]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
