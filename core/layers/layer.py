"""`Layer`: a plain object that holds variables (see `LayerState`) and computes outputs from inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from core import regularizers
from core.backend import slot
from core.backend.journal import TRACING, Holder, journal, swapped
from core.backend.masks import any_masks, get_mask, set_mask
from core.backend.protocol import Backend
from core.backend.symbolic import KerasTensor
from core.base import names, tree
from core.base.dtypes import is_float_dtype
from core.base.errors import BackendMixError
from core.graph import abstract
from core.graph.context import CONTEXT
from core.graph.operation import Operation, any_symbolic
from core.graph.plan import describe
from core.layers.call_spec import CallSpec, build_parameters, call_spec
from core.layers.input_spec import InputSpec, check_inputs
from core.layers.layer_state import LayerState
from core.layers.native_attributes import missing_attribute
from core.state import dtype_policy as policies
from core.state.dtype_policy_map import DTypePolicyMap
from core.state.variable import cast_for_compute

_with_losses: dict[int, Layer] = {}  # layers that were given losses in their last call
_STATIC = frozenset((type(None), bool, int, float, str))  # the types of arguments that a call hands on as they are
_WAYS = 2  # an embedding that is used in both directions has as many


class Layer(Operation, LayerState):
    """Base of all layers: `__init__` stores, `build(input_shape)` creates variables, `call(inputs)` computes.

    Args:
        activity_regularizer: penalty on the outputs.
        trainable: whether the variables may be trained.
        dtype: dtype or dtype policy, for example `"mixed_bfloat16"`; the global policy where it is None.
        autocast: whether float inputs are cast to the compute dtype.
        name: unique in a model; made from the class name where it is None.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")
    ...
    ...     def call(self, inputs):
    ...         return inputs * self.scale
    >>> Scale()(np.ones((2, 3))).shape
    (2, 3)
    """

    _public_module: str | None = None  # found from where the class stands
    _untracked = frozenset({"_inbound_nodes", "_init_arguments", "_losses", "input_spec", "_build_shapes", "_metrics_untracked"})

    supports_masking = False
    input_spec: Any = None
    _policy_map: DTypePolicyMap | None = None

    def __init__(self, *, activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None, **kwargs):
        given_shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            given_shape = (kwargs.pop("input_dim"),)
        batch_shape = kwargs.pop("batch_input_shape", None)
        kwargs.pop("input_dtype", None)
        if kwargs:
            raise ValueError(f"{type(self).__name__} got unexpected arguments {sorted(kwargs)}.")
        Operation.__init__(self, name=name)
        self.built = False
        self.autocast = bool(autocast)
        self.supports_masking = False
        self.input_spec = None
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)
        self._dtype_policy = policies.of_layer(dtype, type(self).__name__)
        self._backend_name = slot.backend()
        self._build_shapes: dict | None = None
        self._losses: list = []
        self._fast: tuple = ()  # the (tensor type, native dtype, trailing shape, backend)s that the fast path takes, at most _WAYS
        if batch_shape is not None or given_shape is not None:
            self._batch_input_shape = tuple(batch_shape) if batch_shape is not None else (None, *given_shape)

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _building(cls.__dict__["build"])  # type: ignore[method-assign]

    # -------------------------------------------------------------------------------------------- what subclasses define

    def build(self, input_shape: Any) -> None:
        """Creates the variables, once the shapes of the inputs are known."""
        self.built = True

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs from that of the inputs."""
        return previous_mask if self.supports_masking else None

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The output shape from the input shapes; by default found from `call`."""
        specs = [tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape) for shape in args]
        specs_by_name = {
            k.removesuffix("_shape"): tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), v) for k, v in kwargs.items()
        }
        outputs = abstract.output_spec(self.__call__ if not self.built else self.call, *specs, **specs_by_name)
        return tree.map_structure(lambda x: x.shape, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as symbolic tensors."""
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            by_name = self._call_spec.arguments(args, kwargs)
            shapes = {k: _shapes_of(v) for k, v in by_name.items() if _has_tensor(v)}
            parameters, _ = build_parameters(type(self).compute_output_shape)
            if len(parameters) == 1 or len(shapes) == 1:
                shape = self.compute_output_shape(next(iter(shapes.values())))
            elif all(f"{k}_shape" in parameters for k in shapes):
                shape = self.compute_output_shape(**{f"{k}_shape": v for k, v in shapes.items()})
            else:
                shape = self.compute_output_shape(*shapes.values())
            if any(not part.built for part in self._flatten_layers(include_self=False)):
                abstract.output_spec(self.call, *args, **kwargs)  # builds the layers inside
            return tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape)
        return abstract.output_spec(self.call, *args, **kwargs)

    # -------------------------------------------------------------------------------------------- calls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not (kwargs and _may_matter(kwargs)):
            x = args[0]
            for kind, dtype, shape, backend in self._fast:
                if type(x) is kind and x.dtype == dtype and x.shape[1:] == shape and slot.active() is backend and get_mask(x) is None:
                    return self.call(x, **kwargs)
        return self._full_call(args, kwargs)

    def _full_call(self, args: tuple, kwargs: dict) -> Any:
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        with _Open(self, kwargs) as training:
            args, kwargs = self._converted(args, kwargs)
            self._prepare(args, kwargs)
            backend = self._backend_for(args, kwargs)
            kwargs = self._with_context(args, kwargs, training)
            if backend is slot.active():
                outputs = self._run(args, kwargs)
            else:
                with slot.use(backend):
                    outputs = self._run(args, kwargs)
        self._note_fast(args, kwargs)
        return outputs

    def _run(self, args: tuple, kwargs: dict) -> Any:
        """`call` in the compute dtype, then what follows from the outputs: their penalty and their mask."""
        if self.compute_dtype == self.variable_dtype:
            outputs = self.call(*args, **kwargs)
        else:
            variables, values = cast_for_compute(self._own_variables(), self.compute_dtype)
            with swapped(variables, values):
                outputs = self.call(*args, **kwargs)
        if self.activity_regularizer is not None:
            for output in tree.flatten(outputs):
                # Relative to the batch, so that the penalty does not grow with its size.
                self.add_loss(self.activity_regularizer(output) / _rows(output))
        if any_masks() or self._makes_masks:
            self._mask_outputs(args, kwargs, outputs)
        return outputs

    @property
    def _makes_masks(self) -> bool:
        """Whether outputs may have a mask where inputs have none (Embedding with mask_zero, Masking)."""
        return False

    def _mask_outputs(self, args: tuple, kwargs: dict, outputs: Any) -> None:
        if not (self.supports_masking or type(self).compute_mask is not Layer.compute_mask) or not args:
            return
        previous = tree.map_structure(get_mask, args[0]) if tree.is_nested(args[0]) else get_mask(args[0])
        if previous is None:
            previous = kwargs.get("mask")
        if not self._makes_masks and all(m is None for m in tree.flatten(previous)):
            return
        mask = self.compute_mask(args[0], previous)
        flat_outputs = tree.flatten(outputs)
        flat_masks = tree.flatten(mask) if isinstance(mask, (list, tuple)) else [mask] * len(flat_outputs)
        for output, one in zip(flat_outputs, flat_masks):
            if one is not None and get_mask(output) is None:
                set_mask(output, one)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Records the call on symbolic tensors; builds the layer first."""
        with _Open(self, kwargs):
            args = tuple(self._convert_one(a) if not tree.is_nested(a) else tree.map_structure(self._convert_one, a) for a in args)
            if "training" in kwargs and not (self._call_spec.training or self._call_spec.takes_any):
                kwargs = {k: v for k, v in kwargs.items() if k != "training"}  # meant for the layers inside
            self._prepare(args, kwargs)
            outputs = self.compute_output_spec(*args, **kwargs)
            return self.record(args, kwargs, outputs)

    def _prepare(self, args: tuple, kwargs: dict) -> None:
        """Checks the inputs and builds, before anything is computed."""
        self._check_inputs(args)
        if not self.built:
            self._build_from(args, kwargs)
            self._check_inputs(args)  # `build` may have said more

    def _check_inputs(self, args: tuple) -> None:
        if self.input_spec is not None and args:
            check_inputs(self.input_spec, args[0], f"{type(self).__name__} {self.name!r}")

    def _build_from(self, args: tuple, kwargs: dict) -> None:
        by_name = self._call_spec.arguments(args, kwargs)
        shapes = {k: _shapes_of(v) for k, v in by_name.items() if _has_tensor(v)}
        parameters, takes_any = build_parameters(getattr(type(self).build, "__wrapped__", type(self).build))
        if len(parameters) <= 1 and not takes_any:
            arguments: dict = {parameters[0]: next(iter(shapes.values()), None)} if parameters else {}
        else:
            arguments = {f"{k}_shape": v for k, v in shapes.items() if takes_any or f"{k}_shape" in parameters}
            if not arguments and parameters:
                arguments = dict(zip(parameters, shapes.values()))
        backend = self._backend_for(args, kwargs)
        self._backend_name = backend.name
        with slot.use(backend):
            self.build(**arguments)

    def _converted(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        args = tuple(self._convert_one(a) if not tree.is_nested(a) else tree.map_structure(self._convert_one, a) for a in args)
        for key, value in kwargs.items():
            if type(value) not in (bool, type(None), str, int, float) and key != "mask":
                kwargs = {**kwargs, key: tree.map_structure(self._convert_one, value)}
        return args, kwargs

    def _convert_one(self, x: Any) -> Any:
        """NumPy arrays become tensors; float tensors the compute dtype. Python values stay as they are."""
        if isinstance(x, Holder):
            x = x.value
        owner = slot.owner(x)
        if owner is None:
            if isinstance(x, KerasTensor):
                if self.autocast and is_float_dtype(x.dtype) and x.dtype != self.compute_dtype and not CONTEXT.abstract:
                    from core.ops import cast

                    return cast(x, self.compute_dtype)
                return x
            if not isinstance(x, (np.ndarray, np.generic, list, tuple)) and type(x) not in (int, float):
                return x
            backend = self.backend
            if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "OSU" or isinstance(x, str):
                return x
            x = backend.convert_to_tensor(x)
            owner = backend
        if self.autocast and is_float_dtype(owner.dtype(x)) and owner.dtype(x) != self.compute_dtype:
            kept = get_mask(x)
            x = owner.cast(x, self.compute_dtype)
            if kept is not None:
                set_mask(x, kept)
        return x

    def _backend_for(self, args: tuple, kwargs: dict) -> Backend:
        """Where the call runs: with the layer's variables, else with the inputs."""
        own = self.backend
        given = slot.owner_of(tree.flatten((args, kwargs)))
        if given is None or given is own:
            return own
        if not any(part._own_variables() for part in self._flatten_layers()):
            return given
        raise BackendMixError(
            f"{type(self).__name__} {self.name!r} holds {own.name} variables, got {given.name} tensors. "
            f"Convert the inputs with core.ops.convert_to_numpy, or move the layer with .to_backend({given.name!r})."
        )

    def _with_context(self, args: tuple, kwargs: dict, training: bool | None) -> dict:
        """Adds the phase and the masks that `call` takes and was not given."""
        spec = self._call_spec
        if spec.training:
            if kwargs.get("training") is None and not (spec.names.index("training") < len(args) if "training" in spec.names else False):
                kwargs = {**kwargs, "training": training}
        elif "training" in kwargs and not spec.takes_any:
            kwargs = {k: v for k, v in kwargs.items() if k != "training"}
        if spec.masks and any_masks():
            by_name = spec.arguments(args, kwargs)
            for name, mask_name in spec.masks.items():
                if name in by_name and by_name.get(mask_name) is None:
                    value = by_name[name]
                    mask = tree.map_structure(get_mask, value) if tree.is_nested(value) else get_mask(value)
                    if any(m is not None for m in tree.flatten(mask)):
                        kwargs = {**kwargs, mask_name: mask}
        return kwargs

    def _note_fast(self, args: tuple, kwargs: dict) -> None:
        """Opens the fast path where this call needed nothing but `call`."""
        if not self._is_plain_leaf():
            self._fast = ()
        elif len(args) == 1 and not _may_matter(kwargs) and slot.owner(args[0]) is slot.active() and len(args[0].shape):
            way = (type(args[0]), args[0].dtype, args[0].shape[1:], slot.active())
            if way not in self._fast:
                self._fast = (way, *self._fast[: _WAYS - 1])

    def _is_plain_leaf(self) -> bool:
        """Whether a call with one tensor of the compute dtype is `call` and nothing else."""
        return (
            self.built
            and not self._call_spec.training
            and not self._call_spec.masks
            and not self._makes_masks
            and self.activity_regularizer is None
            and self.compute_dtype == self.variable_dtype
            and type(self).__call__ is Layer.__call__
            and not any(isinstance(part, Layer) for part in self._parts())
        )

    @property
    def _call_spec(self) -> CallSpec:
        return call_spec(type(self).call)

    def _on_backend(self, backend: Backend) -> None:
        super()._on_backend(backend)
        self._fast = ()

    # -------------------------------------------------------------------------------------------- losses and metrics

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar, or a list of them, to what training minimizes; counted until the next outermost call."""
        if CONTEXT.abstract:
            return
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            if one is None:
                continue
            if callable(one) and not hasattr(one, "shape"):
                one = one()
            self._losses.append(one)
        _with_losses[id(self)] = self

    @property
    def losses(self) -> list:
        """The losses added in the last call, then the weights' penalties."""
        found = [loss for layer in self._flatten_layers() for loss in layer._losses]
        for variable in self.trainable_weights:
            if variable.regularizer is not None:
                found.append(variable.regularizer(variable))
        return found

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Not part of this API: keep a metric as an attribute, and update it in `call` or `train_step`."""
        raise TypeError("Layers take no add_metric: set a metric as an attribute (self.my_metric = core.metrics.Mean()) and update it.")

    def clear_losses(self) -> None:
        """Forgets the losses added so far."""
        for layer in self._flatten_layers():
            layer._losses = []
            _with_losses.pop(id(layer), None)

    # -------------------------------------------------------------------------------------------- stateless

    def stateless_call(self, trainable_variables, non_trainable_variables, *args, return_losses=False, **kwargs):
        """The call as a pure function of the variables' values.

        Returns:
            `(outputs, new non-trainable values)`, or with `return_losses` also the losses.
        """
        trainable, others = self.trainable_variables, self.non_trainable_variables
        if len(trainable) != len(trainable_variables) or len(others) != len(non_trainable_variables):
            raise ValueError(
                f"stateless_call needs {len(trainable)} trainable and {len(others)} non-trainable values for {self.name!r}, "
                f"got {len(trainable_variables)} and {len(non_trainable_variables)}. Is the layer built?"
            )
        values = [x.value if isinstance(x, Holder) else x for x in (*trainable_variables, *non_trainable_variables)]
        values = [self.backend.as_functional(v) for v in values]
        with TRACING, swapped([*trainable, *others], values), journal() as notes:
            try:
                outputs = self(*args, **kwargs)
                losses = self.losses if return_losses else None
                new = [v._value for v in others]
            finally:
                notes.take_back()
        self.clear_losses()
        return (outputs, new, losses) if return_losses else (outputs, new)

    # -------------------------------------------------------------------------------------------- dtype, config, files

    @property
    def dtype_policy(self) -> policies.DTypePolicy:
        return self._policy_map or self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        policy = policies.of_layer(value, type(self).__name__)
        self._policy_map, self._dtype_policy = None, policy
        if self.built:
            self._take_policy(self.path)
        self._fast = ()

    def _take_policy(self, path: str) -> None:
        """The policy of the layer's path, out of a `DTypePolicyMap`."""
        if isinstance(self._dtype_policy, DTypePolicyMap):
            self._policy_map = self._dtype_policy
        if self._policy_map is not None:
            self._dtype_policy = policies.of_layer(self._policy_map[path], type(self).__name__)

    @property
    def dtype(self) -> str:
        """The dtype of the variables."""
        return self._dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self._dtype_policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype that inputs are cast to."""
        return self._dtype_policy.compute_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The quantization of the layer, None where there is none."""
        return self._dtype_policy.quantization_mode

    @property
    def path(self) -> str:
        """The name with those of the layers around it, joined by slashes, as it was when the layer was built."""
        return self.__dict__.get("_path", self.name)

    def get_config(self) -> dict:
        """The arguments that make the same layer, without its weights."""
        base = {"name": self.name, "trainable": self._trainable, "dtype": policies.serialize(self.dtype_policy)}
        if type(self).get_config is not Layer.get_config:
            return base if self.activity_regularizer is None else {
                **base, "activity_regularizer": regularizers.serialize(self.activity_regularizer)}  # fmt: skip
        config = self._plain_init_config()
        return {**base, **{k: v for k, v in config.items() if k not in ("dtype", "name")}}

    def get_build_config(self) -> dict | None:
        """The shapes that `build` was called with, or None."""
        if self._build_shapes is None:
            return None
        if len(self._build_shapes) == 1:
            return {"input_shape": next(iter(self._build_shapes.values()))}
        return {"shapes_dict": self._build_shapes}

    def build_from_config(self, config: dict) -> None:
        """Builds from `get_build_config`'s result."""
        if self.built or not config or isinstance(self._dtype_policy, DTypePolicyMap):  # a map needs the place: the call builds
            return
        shapes = config.get("shapes_dict")
        with slot.use(self.backend):
            if shapes:
                parameters, takes_any = build_parameters(getattr(type(self).build, "__wrapped__", type(self).build))
                shapes = {k: _as_shape(v) for k, v in shapes.items()}
                self.build(**{k: v for k, v in shapes.items() if takes_any or k in parameters})
            elif config.get("input_shape") is not None:
                self.build(_as_shape(config["input_shape"]))

    def __getattr__(self, name: str) -> Any:  # only reached for what is missing
        return missing_attribute(self, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


class _Open:
    """The extent of one call: its phase, its name scope, its place in an error's notes."""

    __slots__ = ("before", "kwargs", "layer", "root", "scope")

    def __init__(self, layer: Layer, kwargs: dict):
        self.layer, self.kwargs = layer, kwargs

    def __enter__(self) -> bool | None:
        layer, context = self.layer, CONTEXT
        self.before = context.training
        given = self.kwargs.get("training")
        if given is None:
            given = context.training
            if given is None and layer._call_spec.training:
                given = layer._call_spec.training_default
        context.training = given
        if context.depth == 0 and _with_losses and not context.abstract:
            layer.clear_losses()
        context.depth += 1
        self.scope = names.scope(layer.name)
        self.scope.__enter__()
        if not layer.built:
            layer._take_policy(names.current_path())  # now, because inputs are cast before the layer is built
        return given

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        CONTEXT.training = self.before
        CONTEXT.depth -= 1
        self.scope.__exit__(None, None, None)
        if error is not None and isinstance(error, Exception):
            note = f"in {describe(self.layer)}"
            if note not in getattr(error, "__notes__", ()):
                error.add_note(note)


def _building(build: Callable) -> Callable:
    """A subclass' `build`, after which the layer counts as built."""

    @functools.wraps(build)
    def wrapped(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self.__dict__.get("_building_now"):  # super().build(...) from inside
            build(self, *args, **kwargs)
            return
        self.__dict__["_building_now"] = True
        path = names.current_path()
        try:
            if path.rpartition("/")[2] == self.name:
                self._path = path
                self._take_policy(path)
                build(self, *args, **kwargs)
            else:
                with names.scope(self.name):
                    self._path = names.current_path()
                    self._take_policy(self._path)
                    build(self, *args, **kwargs)
        finally:
            del self.__dict__["_building_now"]
        parameters, _ = build_parameters(build)
        self._build_shapes = {**dict(zip(parameters, args)), **kwargs}
        self.built = True

    return wrapped


def _may_matter(kwargs: dict) -> bool:
    """Whether a call with these arguments may need more than `call`: tensors, structures, a phase, a mask."""
    return any(type(value) not in _STATIC or name in ("training", "mask") for name, value in kwargs.items())


def _rows(x: Any) -> Any:
    """The size of the batch, 1 for a scalar and for none; a tensor where a trace leaves it open."""
    size = x.shape[0] if len(x.shape) else 1
    if size is not None:
        return max(1, size)
    from core import ops

    return ops.maximum(ops.cast(ops.shape(x)[0], x.dtype), 1) if slot.owner(x) is not None else 1


def _has_tensor(value: Any) -> bool:
    return hasattr(value, "shape") if not tree.is_nested(value) else any(hasattr(x, "shape") for x in tree.flatten(value))


def _shapes_of(value: Any) -> Any:
    if hasattr(value, "shape"):
        return tuple(value.shape)
    return tree.map_structure(lambda x: tuple(x.shape) if hasattr(x, "shape") else None, value)


def _as_shape(value: Any) -> Any:
    """A shape out of JSON: lists of numbers are tuples."""
    if isinstance(value, (list, tuple)) and all(v is None or isinstance(v, int) for v in value):
        return tuple(value)
    if isinstance(value, dict):
        return {k: _as_shape(v) for k, v in value.items()}
    return [_as_shape(v) for v in value] if isinstance(value, (list, tuple)) else value


__all__ = ["InputSpec", "Layer"]
