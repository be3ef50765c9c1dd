"""Cost of a model, layer by layer and in total."""

import dataclasses

from keras_prune.analysis import formulas
from keras_prune.tables import render_table

_NO_DATA = "Densities are counted on data: pass it to `kp.cost(model, data=x)`. Received: no data"


@dataclasses.dataclass(frozen=True)
class LayerCost:
    """Cost of the kernels of one layer.

    What is counted on data is `None` where there was none, and a sum over all examples. The
    activations of a layer are the tensor behind the non-linearity that follows it.

    Args:
        path: Str. The layer's path in the model.
        layer: Str. The layer's class.
        params: Int. Weights in the layer's kernels.
        nonzero_params: Int. Those that are not zero.
        macs: Int or `None`. Multiply-accumulates for one example; `None` where the layer's
            way of computing is unknown.
        sparse_macs: Int or `None`. Those whose weight is not zero.
        biases: Int. Values in the layer's biases. Defaults to `0`.
        nonzero_biases: Int. Those that are not zero. Defaults to `0`.
        inputs: Int or `None`. Values that the layer multiplies its kernels with.
        nonzero_inputs: Int or `None`. Those that are not zero.
        activations: Int or `None`. Values behind the non-linearity that follows the layer.
        nonzero_activations: Int or `None`. Those that are not zero; all of the logits.
        pairs: Int or `None`. Products with a weight and an activation that are not zero;
            `None` also where the layer's way of computing is unknown.
        outputs: Int or `None`. Output channels that a gate multiplies, over examples; 0 without
            one.
        live_outputs: Int or `None`. Those whose factor is not zero: the others need not be
            computed, and `pairs` leaves them out.
    """

    path: str
    layer: str
    params: int
    nonzero_params: int
    macs: int | None
    sparse_macs: int | None
    biases: int = 0
    nonzero_biases: int = 0
    inputs: int | None = None
    nonzero_inputs: int | None = None
    activations: int | None = None
    nonzero_activations: int | None = None
    pairs: int | None = None
    outputs: int | None = None
    live_outputs: int | None = None

    @property
    def weight_density(self):
        """Float. The fraction of the weights that are not zero."""
        return self.nonzero_params / self.params

    @property
    def input_density(self):
        """Float or `None`. The fraction of the layer's inputs that are not zero."""
        return self.nonzero_inputs / self.inputs if self.inputs else None

    @property
    def output_density(self):
        """Float. The fraction of the layer's output channels that must be computed."""
        return self.live_outputs / self.outputs if self.outputs else 1.0

    @property
    def activation_density(self):
        """Float or `None`. The fraction of the layer's activations that are not zero."""
        return self.nonzero_activations / self.activations if self.activations else None


@dataclasses.dataclass(frozen=True)
class CostReport:
    """Cost of a model, layer by layer and in total. `print` shows a table.

    Args:
        layers: Tuple of `LayerCost`, one for every layer that owns a kernel.
        examples: Int or `None`. Examples that densities were counted on.
        activations: Int or `None`. Activations of all layers over all examples; a tensor that
            two layers share, as behind a residual sum, counts once.
        nonzero_activations: Int or `None`. Those that are not zero.
    """

    layers: tuple
    examples: int | None = None
    activations: int | None = None
    nonzero_activations: int | None = None

    @property
    def params(self):
        """Int. Weights in all kernels."""
        return sum(layer.params for layer in self.layers)

    @property
    def nonzero_params(self):
        """Int. Weights in all kernels that are not zero."""
        return sum(layer.nonzero_params for layer in self.layers)

    @property
    def biases(self):
        """Int. Values in the biases of all layers that own a kernel."""
        return sum(layer.biases for layer in self.layers)

    @property
    def macs(self):
        """Int. Multiply-accumulates for one example, where they are known."""
        return sum(layer.macs or 0 for layer in self.layers)

    @property
    def sparse_macs(self):
        """Int. Multiply-accumulates whose weight is not zero."""
        return sum(layer.sparse_macs or 0 for layer in self.layers)

    @property
    def activation_density(self):
        """Float. The fraction of all activations that are not zero.

        Raises:
            ValueError: If there was no data.
        """
        if not self.examples:
            raise ValueError(_NO_DATA)
        return self.nonzero_activations / self.activations

    def mac_density(self, mode="product"):
        """The fraction of the multiply-accumulates that is left, zeros of both factors skipped.

        The product rule takes zero weights and zero activations for independent. Where the
        weights that are left sit on busy inputs, as after training they do, the exact count
        is higher.

        Args:
            mode: Str. `"product"`: sum of MACs x weight density x input density, x the
                share of its output channels that a gate leaves to be computed, over the sum of
                MACs. `"exact"`: the pairs (w, a) with w != 0 and a != 0 over all pairs.
                Defaults to `"product"`.

        Returns:
            A float, over the layers that are not in `not_counted`.

        Raises:
            ValueError: If there was no data, or `mode` is another.
        """
        if mode not in ("product", "exact"):
            raise ValueError(
                f'Argument `mode` must be "product" or "exact". Received: mode={mode!r}'
            )
        if not self.examples:
            raise ValueError(_NO_DATA)
        layers = [layer for layer in self.layers if layer.macs and layer.pairs is not None]
        if not layers:
            return 0.0
        if mode == "exact":
            pairs = sum(layer.pairs for layer in layers)
            return pairs / (self.examples * sum(layer.macs for layer in layers))
        return formulas.mac_density(
            [layer.macs for layer in layers],
            [layer.weight_density for layer in layers],
            [layer.input_density * layer.output_density for layer in layers],
        )

    @property
    def not_counted(self):
        """Tuple of str. Paths of the layers whose products are not counted on data."""
        return tuple(
            layer.path for layer in self.layers if layer.macs is None or layer.pairs is None
        )

    def compression(self, biases=False):
        """How many times fewer weights are left.

        Args:
            biases: Bool. Whether biases count as weights. Defaults to `False`.

        Returns:
            A float, infinite where no weight is left.
        """
        dense = self.params + (self.biases if biases else 0)
        return formulas.compression(dense, self._nonzero(biases))

    def memory_footprint(self, biases=False):
        """Bytes of the weights that are not zero as float32, their positions not counted.

        Args:
            biases: Bool. Whether biases count as weights. Defaults to `False`.

        Returns:
            An int.
        """
        return formulas.memory_footprint(self._nonzero(biases))

    def _nonzero(self, biases):
        extra = sum(layer.nonzero_biases for layer in self.layers) if biases else 0
        return self.nonzero_params + extra

    def __str__(self):
        def row(name, kind, item, *densities):
            numbers = (item.params, item.nonzero_params, item.macs, item.sparse_macs)
            shown = ("?" if n is None else f"{n:,}" for n in numbers)
            return (name, kind, *shown, *("?" if d is None else f"{d:.2%}" for d in densities))

        columns = ["layer", "class", ">params", ">nonzero", ">MACs", ">sparse MACs"]
        if not self.examples:
            rows = [row(layer.path, layer.layer, layer) for layer in self.layers]
            return render_table("Cost", columns, rows, footer=row("total", "", self))
        rows = [
            row(a.path, a.layer, a, a.input_density, a.activation_density, *self._densities(a))
            for a in self.layers
        ]
        footer = row("total", "", self) + ("",)
        densities = (self.activation_density, self.mac_density(), self.mac_density("exact"))
        footer += tuple(f"{density:.2%}" for density in densities)
        columns += [">inputs", ">activations", ">product MACs", ">exact MACs"]
        return render_table("Cost", columns, rows, footer=footer, width=140)

    def _densities(self, layer):
        """The MAC density of a layer by the product rule, and the exact one."""
        if layer.pairs is None or not layer.macs:
            return None, None
        product = layer.weight_density * layer.input_density * layer.output_density
        return product, layer.pairs / (self.examples * layer.macs)
