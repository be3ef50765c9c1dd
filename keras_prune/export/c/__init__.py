"""A self-contained C11 project from an int8 .tflite file, for microcontrollers."""

from keras_prune.export.c.project import export_c
from keras_prune.export.c.report import CLayer, CProjectReport

__all__ = ["CLayer", "CProjectReport", "export_c"]
