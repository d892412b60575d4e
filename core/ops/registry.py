"""The op registry: an op is a Python function with a reference body; `@op` makes it dispatch.

A call goes to the backend that owns its tensors, after the promotion that the op declares; symbolic tensors record a node
whose shape the op's rule tells. A backend overrides a reference body by defining a function of the same name.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np

from core.backend import slot
from core.backend.bounds import recordable
from core.backend.dimension import Dimension, holds_symbolic
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.backend.symbolic import KerasTensor, Node
from core.base import dtypes, tree
from core.ops import sparsity

P = ParamSpec("P")
R = TypeVar("R")

REGISTRY: dict[str, Op] = {}
HOLDERS: set[type] = set()  # the types that stand for a tensor, entered by the row that defines them
_EMPTY = inspect.Parameter.empty


class PrimitiveError(NotImplementedError):
    """A backend lacks an op that has no reference body."""


def primitive() -> NoReturn:
    """The body of an op that every backend must define."""
    raise PrimitiveError("This op has no reference body and the backend does not define it.")


class Op:
    """One entry of the registry.

    Attributes:
        name: the public name, which is the backend functions' name too.
        family: the name of its module in `core.ops` or `core.random`, or of the package that the module is part of.
        reference: the function as written.
        tensors: names of the parameters that are tensors and take part in promotion.
        also: names of tensor parameters that keep their own dtype (indices, conditions).
        lists: those of both that hold a list of tensors.
        promote: None, "numeric" (common dtype) or "float" (common dtype, integers to floatx).
        scalars: whether the backends' functions take Python numbers for the tensors after the first, which has the dtype.
        rule: from the arguments, tensors as `KerasTensor` with promoted dtype, to the outputs' `KerasTensor`s.
        prepare: sees the op's name and the arguments by name before Python values become tensors; checks them, or brings them to one form.
    """

    def __init__(
        self,
        reference: Callable,
        tensors: str,
        also: str,
        promote: str | None,
        rule: Callable | None,
        scalars: bool = False,
        prepare: Callable[[str, dict], None] | None = None,
    ):
        self.name = reference.__name__.rstrip("_")
        self.reference = reference
        self.family = (*reference.__module__.split("."), "", "")[2]  # an op that a user declares may be of no family
        self.is_primitive = "primitive" in reference.__code__.co_names
        self.signature = inspect.signature(reference)
        self.parameters = tuple(self.signature.parameters)
        self.variadic = next((n for n, p in self.signature.parameters.items() if p.kind is p.VAR_POSITIONAL), None)
        self.keywords = next((n for n, p in self.signature.parameters.items() if p.kind is p.VAR_KEYWORD), None)
        self.lists = frozenset(n.lstrip("*") for n in (tensors + " " + also).split() if n.startswith("*"))
        self.tensors = tuple(n.lstrip("*") for n in tensors.split())
        self.also = tuple(n.lstrip("*") for n in also.split())
        unknown = set(self.tensors + self.also) - set(self.parameters)
        if unknown:
            raise TypeError(f"The op {self.name} declares tensors {sorted(unknown)} that are not among its parameters.")
        self.promote = promote
        self.scalars = scalars
        self.rule = rule
        self.prepare = prepare
        self._implementations: dict[Backend, Callable] = {}
        self.fast: dict[type, tuple[Callable, frozenset, frozenset, Backend]] = {}  # of the owner of a tensor type, for `_caller`
        self.public: Callable = reference

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def implementation(self, backend: Backend) -> Callable:
        """The function that runs this op on native tensors of `backend`."""
        found = self._implementations.get(backend)
        if found is None:
            found = backend.functions.get(self.name) or self._composite(backend)
            self._implementations[backend] = found
        return found

    def _composite(self, backend: Backend) -> Callable:
        reference, active, use, name = self.reference, slot.active, slot.use, self.name
        if self.is_primitive:

            def missing(*args, **kwargs):
                raise PrimitiveError(f"The {backend.name} backend does not define the op {name!r}.")

            return missing

        def composite(*args, **kwargs):
            # Creation ops inside the body must land on the owner of the tensors.
            if active() is backend:
                return reference(*args, **kwargs)
            with use(backend):
                return reference(*args, **kwargs)

        settled = backend.functions.get("settled")
        if settled is None or self.promote is None:
            return composite

        def composite_settled(*args, **kwargs):
            result = composite(*args, **kwargs)
            dtypes_in = {backend.dtype(x) for x in args if isinstance(x, np.ndarray)}
            return settled(result, dtypes_in.pop()) if len(dtypes_in) == 1 else result

        return composite_settled

    def bind(self, args: tuple, kwargs: dict) -> dict[str, Any]:
        """The arguments by name, in the order of the signature, defaults left out."""
        if self.variadic is None and len(args) <= len(self.parameters) and kwargs.keys().isdisjoint(self.parameters[: len(args)]):
            bound = dict(zip(self.parameters, args))
            for name in self.parameters[len(args) :]:
                if name in kwargs:
                    bound[name] = kwargs[name]
                elif self.signature.parameters[name].default is _EMPTY:
                    break
            else:
                if len(bound) == len(args) + len(kwargs):
                    return bound
        try:
            found = dict(self.signature.bind(*args, **kwargs).arguments)
            return found | found.pop(self.keywords, {}) if self.keywords else found
        except TypeError as error:
            raise TypeError(f"{self.name}{self.signature}: {error}.") from None

    def dispatch(self, args: tuple, kwargs: dict) -> Any:
        """The general path: unwrap variables, find the owner, promote, convert, call. Fills the fast table."""
        bound = self.bind(args, kwargs)
        if self.prepare is not None:
            self.prepare(self.name, bound)
        backend, symbolic, sparse = None, False, False
        for name in self.tensors + self.also:
            if name not in bound:
                continue
            value = bound[name]
            if name in self.lists and isinstance(value, (list, tuple)):
                value = bound[name] = [v.value if isinstance(v, Holder) else v for v in value]
                members: Iterable = value
            else:
                if isinstance(value, Holder):
                    value = bound[name] = value.value
                members = (value,)
            for member in members:
                if isinstance(member, KerasTensor):
                    symbolic = True
                    continue
                found = slot.owner(member)
                sparse = sparse or (found is not None and type(member) not in slot.OWNERS)
                if found is not None and found is not backend:
                    backend = found if backend is None else slot.owner_of((*self._members(bound),))
        if symbolic or (not self.is_primitive or not self.tensors) and holds_symbolic(self._statics(bound)):
            return self.symbolic(args, kwargs)
        if backend is None:
            backend = slot.active()
        self._convert(bound, backend)
        if sparse:
            implementation = self._made_for_sparse(bound, backend)
        else:
            implementation = self.implementation(backend)
            self._note_fast(bound, implementation, backend)
        try:
            return self._apply(implementation, bound)
        except Exception as error:  # noqa: BLE001 (`fail` raises, or leaves a symbolic call to be recorded)
            self.fail(error, args, kwargs)
            return self.symbolic(args, kwargs)

    def _note_fast(self, bound: dict, implementation: Callable, backend: Backend) -> None:
        for value in self._members(bound):
            kind = type(value)
            if kind not in self.fast and (slot.OWNERS.get(kind) is backend or (kind is np.ndarray and backend.tensor_types == ())):
                self.fast[kind] = (implementation, backend.float_dtypes, backend.int_dtypes, backend)

    def _made_for_sparse(self, bound: dict, backend: Backend) -> Callable:
        """The function for sparse tensors where there is one; else the common one, with dense tensors put into `bound`."""
        formats, implementation = backend.sparse, self.implementation(backend)
        assert formats is not None  # a tensor of one of its types is here
        members = [value for value in self._members(bound) if value is not None]
        sparse = [isinstance(value, formats.TYPES) for value in members]
        if self.name in sparsity.PRODUCTS or sparsity.result_is_sparse(self.name, sparse, [tuple(value.shape) for value in members]):
            return sparsity.function(self.name, implementation, formats)
        dense = lambda value: formats.to_dense(value) if isinstance(value, formats.TYPES) else value  # noqa: E731
        for name in self.tensors + self.also:
            if name in bound:
                bound[name] = self._on_each(name, bound[name], dense)
        return implementation

    def _statics(self, bound: dict) -> Iterable:
        """What is given for parameters that are no tensors."""
        if not self.tensors and not self.also:
            return bound.values()
        return [value for name, value in bound.items() if name not in self.tensors and name not in self.also]

    def fail(self, error: Exception, args: tuple, kwargs: dict) -> None:
        """Raises the rule's error in place of a framework's where shapes or arguments cannot be meant, else the error itself.

        Returns where a symbolic tensor is among the arguments, which no backend takes: then the call is to be recorded.
        """
        if holds_symbolic((*args, *kwargs.values())):
            return
        if self.rule is not None and not isinstance(error, PrimitiveError):
            try:
                self.output_spec(args, kwargs)
            except (ValueError, TypeError, IndexError) as better:
                raise self._told(better, args, kwargs) from None
        raise error

    def _told(self, error: Exception, args: tuple, kwargs: dict) -> ValueError:
        """A rule's error with the op's name and the shapes in it."""
        shapes = [tuple(v.shape) for v in (*args, *kwargs.values()) if hasattr(v, "shape")]
        message = str(error) if str(error).startswith(self.name) else f"{self.name}: {error}"
        return ValueError(message if "shape" in message else f"{message} Got arguments of shapes {shapes}.")

    def _members(self, bound: dict) -> Iterable[Any]:
        for name in self.tensors + self.also:
            value = bound.get(name)
            yield from value if name in self.lists and isinstance(value, (list, tuple)) else (value,)

    def _apply(self, function: Callable, bound: dict) -> Any:
        if self.variadic is not None:
            before = self.parameters[: self.parameters.index(self.variadic)]
            rest = {n: v for n, v in bound.items() if n not in before and n != self.variadic}
            return function(*(bound[n] for n in before), *bound.get(self.variadic, ()), **rest)
        leading: list[Any] = []
        for name in self.parameters:
            if name not in bound:
                break
            leading.append(bound.pop(name))
        return function(*leading, **bound)

    def _convert(self, bound: dict, backend: Backend) -> None:
        if self.promote is None:
            target = None
        else:
            kinds = [self._kind(value, backend) for name in self.tensors if name in bound for value in self._each(name, bound[name])]
            target = dtypes.promote(*kinds) if kinds else None
            if self.promote == "float" and target is not None:
                target = dtypes.to_float(target)
        for name in self.tensors:
            if bound.get(name) is not None:
                bound[name] = self._on_each(name, bound[name], functools.partial(_to_tensor, backend=backend, dtype=target))
        for name in self.also:
            if bound.get(name) is not None:
                bound[name] = self._on_each(name, bound[name], functools.partial(_to_tensor, backend=backend, dtype=None))

    def _each(self, name: str, value: Any) -> Iterable[Any]:
        if value is None:
            return ()
        return value if name in self.lists and isinstance(value, (list, tuple)) else (value,)

    def _on_each(self, name: str, value: Any, convert: Callable) -> Any:
        if name in self.lists and isinstance(value, (list, tuple)):
            return [convert(v) for v in value]
        return convert(value)

    @staticmethod
    def _kind(value: Any, backend: Backend) -> str:
        """The lattice name of one argument; a Python scalar is weak, a list of them has the default dtype."""
        if type(value) in (bool, int, float, complex):
            return dtypes.kind_of(value)
        if isinstance(value, KerasTensor):
            return value.dtype
        if hasattr(value, "dtype"):
            return dtypes.standardize_dtype(value.dtype)
        return backend.dtype(backend.convert_to_tensor(value))

    def symbolic(self, args: tuple, kwargs: dict) -> Any:
        """Records a node; the outputs' shapes and dtypes come from the rule."""
        args, kwargs = self._without_dimensions(args, kwargs)
        spec = self.output_spec(args, kwargs)
        outputs = [s for s in tree.flatten(spec) if isinstance(s, KerasTensor)]
        Node(*recordable(self.public, args, kwargs), spec, outputs)
        return spec

    def _without_dimensions(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments with tensors in place of dimensions among the tensors: a Python int would take part in promotion otherwise."""
        if self.name == "cast":
            return args, kwargs
        first_of_rest = len(args) if self.variadic is None else self.parameters.index(self.variadic)
        names = [*self.parameters[:first_of_rest], *[self.variadic] * (len(args) - first_of_rest)]

        def settled(name: str | None, value: Any) -> Any:
            if name not in self.tensors and name not in self.also:
                return value
            if name in self.lists and isinstance(value, (list, tuple)):
                return type(value)(settled(name, x) for x in value) if any(isinstance(x, Dimension) for x in value) else value
            return REGISTRY["cast"].public(value, "int32") if isinstance(value, Dimension) else value

        return tuple(map(settled, names, args)), {name: settled(name, value) for name, value in kwargs.items()}

    def output_spec(self, args: tuple, kwargs: dict) -> Any:
        """What the call would return, as `KerasTensor`s, from arguments with or without values."""
        if self.rule is None:
            raise TypeError(f"The op {self.name} takes no symbolic tensors; call it inside a layer's `call`.")
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        target = None
        if self.promote is not None:
            kinds = [self._symbolic_kind(v) for n in self.tensors for v in self._each(n, bound.arguments[n])]
            target = dtypes.promote(*kinds) if kinds else None
            if self.promote == "float" and target is not None:
                target = dtypes.to_float(target)
        for names, dtype in ((self.tensors, target), (self.also, None)):
            for name in names:
                if bound.arguments[name] is not None:
                    bound.arguments[name] = self._on_each(name, bound.arguments[name], functools.partial(_to_spec, dtype=dtype))
        members = [value for value in self._members(bound.arguments) if value is not None]
        try:
            spec = self.rule(*bound.args, **bound.kwargs)
        except ValueError as error:
            if type(error) is not ValueError:
                raise
            raise self._told(error, args, kwargs) from None
        sparse = [getattr(value, "sparse", False) for value in members]
        if any(sparse) and sparsity.result_is_sparse(self.name, sparse, [value.shape for value in members]):
            spec.sparse = True
        return spec

    @staticmethod
    def _symbolic_kind(value: Any) -> str:
        if type(value) in (bool, int, float, complex):
            return dtypes.kind_of(value)
        return _to_spec(value, None).dtype


def _to_tensor(value: Any, backend: Backend, dtype: str | None) -> Any:
    if slot.OWNERS.get(type(value)) is backend:
        return value if dtype is None or backend.dtype(value) == dtype else backend.cast(value, dtype)
    return backend.convert_to_tensor(value, dtype)


def _to_spec(value: Any, dtype: str | None) -> KerasTensor:
    if isinstance(value, Holder):
        value = value.value
    if not hasattr(value, "shape"):
        import numpy as np

        value = np.asarray(value)
        weak = {"f": dtypes.config.floatx(), "i": "int32", "b": "bool", "c": "complex64"}.get(value.dtype.kind, "string")
        return KerasTensor(value.shape, dtype or weak)
    spec = KerasTensor(tuple(value.shape), dtype or dtypes.standardize_dtype(value.dtype))
    spec._dimensions = getattr(value, "_dimensions", None)
    spec.sparse = getattr(value, "sparse", False) is True
    return spec


def op(
    tensors: str = "x",
    *,
    rule: Callable | None,
    also: str = "",
    promote: str | None = None,
    scalars: bool = False,
    prepare: Callable[[str, dict], None] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declares a function as an op. See `Op` for the arguments; `*` before a name marks a list of tensors.

    >>> @op("x1 x2", rule=rules.broadcast, promote="numeric")
    ... def add(x1, x2): ...
    """

    def declare(reference: Callable[P, R]) -> Callable[P, R]:
        spec = Op(reference, tensors, also, promote, rule, scalars, prepare)
        if spec.name in REGISTRY:
            raise ValueError(f"The op {spec.name} is declared twice.")
        REGISTRY[spec.name] = spec
        spec.public = functools.update_wrapper(_caller(spec), reference)
        spec.public.op = spec  # type: ignore[attr-defined]
        spec.public.__name__ = spec.name
        return spec.public  # type: ignore[return-value]

    return declare


def _caller(spec: Op) -> Callable:
    """The public function: a table look-up by tensor type where nothing needs converting, else `dispatch`.

    NumPy's arrays belong to nobody: in the table they stand for the backend whose tensors they are, and count while it is active.
    """
    dispatch, names = spec.dispatch, spec.tensors + spec.also

    def general(*args, **kwargs):
        return dispatch(args, kwargs)

    if spec.variadic is not None:
        return _of_rest(spec) if names == (spec.variadic,) else general
    if spec.lists:
        return _of_list(spec) if names == (spec.parameters[0],) else general
    if not names or spec.parameters[0] not in names:
        return general
    if len(names) == 1:
        return _of_one(spec)
    return _of_two(spec) if spec.parameters[:2] == spec.tensors and not spec.also else _of_several(spec)


def _of_one(spec: Op) -> Callable:
    fast, dispatch, floats_only, array, active = spec.fast, spec.dispatch, spec.promote == "float", np.ndarray, slot.active

    def unary(*args, **kwargs):
        if args:
            x = args[0]
            if type(x) in HOLDERS:
                args = (x := x.value, *args[1:])
            found = fast.get(type(x))
            if found is not None and (not floats_only or x.dtype in found[1]) and (type(x) is not array or active() is found[3]):
                try:
                    return found[0](*args, **kwargs)
                except Exception as error:  # noqa: BLE001 (`fail` raises, or leaves a symbolic call to be recorded)
                    spec.fail(error, args, kwargs)
        return dispatch(args, kwargs)

    return unary


def _of_two(spec: Op) -> Callable:
    fast, dispatch, owners, scalars = spec.fast, spec.dispatch, slot.OWNERS, spec.scalars
    floats_only, same_dtype, array, active = spec.promote == "float", spec.promote is not None, np.ndarray, slot.active

    def binary(*args, **kwargs):
        if len(args) > 1:
            x1, x2 = args[0], args[1]
            if type(x1) in HOLDERS:
                args = (x1 := x1.value, *args[1:])
            found = fast.get(type(x1))
            if found is not None and (type(x1) is not array or active() is found[3]):
                if type(x2) in HOLDERS:
                    x2 = x2.value
                    args = (x1, x2, *args[2:])
                dtype, kind = x1.dtype, type(x2)
                if kind is float or kind is int:
                    fits = scalars and (dtype in found[1] or (kind is int and not floats_only and dtype in found[2]))
                else:
                    fits = (kind is type(x1) or owners.get(kind) is found[3]) and (
                        not same_dtype or (dtype == x2.dtype and (not floats_only or dtype in found[1]))
                    )
                if fits:
                    try:
                        return found[0](*args, **kwargs)
                    except Exception as error:  # noqa: BLE001 (`fail` raises, or leaves a symbolic call to be recorded)
                        spec.fail(error, args, kwargs)
        return dispatch(args, kwargs)

    return binary


def _of_several(spec: Op) -> Callable:
    fast, dispatch, owners, scalars = spec.fast, spec.dispatch, slot.OWNERS, spec.scalars
    floats_only, names, array, active = spec.promote == "float", frozenset(spec.tensors + spec.also), np.ndarray, slot.active
    # For each count of positional arguments: which of them are tensors, and whether they promote.
    places = [
        tuple((i, spec.promote is not None and n in spec.tensors) for i, n in enumerate(spec.parameters[:count]) if n in names)
        for count in range(len(spec.parameters) + 1)
    ]

    def several(*args, **kwargs):
        if 0 < len(args) < len(places) and (not kwargs or names.isdisjoint(kwargs)):
            values, found, first, dtype = list(args), None, None, None
            for place, promotes in places[len(args)]:
                value = values[place]
                kind = type(value)
                if kind in HOLDERS:
                    value = values[place] = value.value
                    kind = type(value)
                if found is None:
                    found, first = fast.get(kind), kind
                    if found is None or (kind is array and active() is not found[3]):
                        break
                elif value is None:
                    continue
                elif kind is not first and owners.get(kind) is not found[3]:
                    if scalars and promotes and dtype in found[1] and (kind is float or kind is int):
                        continue
                    break
                if promotes:
                    if dtype is None:
                        dtype = value.dtype
                        if floats_only and dtype not in found[1]:
                            break
                    elif value.dtype != dtype:
                        break
            else:
                try:
                    return found[0](*values, **kwargs)
                except Exception as error:  # noqa: BLE001 (`fail` raises, or leaves a symbolic call to be recorded)
                    spec.fail(error, args, kwargs)
        return dispatch(args, kwargs)

    return several


def _of_list(spec: Op) -> Callable:
    fast, dispatch, owners = spec.fast, spec.dispatch, slot.OWNERS
    floats_only, same_dtype, array, active = spec.promote == "float", spec.promote is not None, np.ndarray, slot.active

    def joined(*args, **kwargs):
        if args and type(args[0]) in (list, tuple) and args[0]:
            first = args[0][0]
            kind = type(first)
            found = fast.get(kind)
            if found is not None and (kind is not array or active() is found[3]):
                dtype = first.dtype
                for x in args[0]:
                    if (type(x) is not kind and owners.get(type(x)) is not found[3]) or (same_dtype and x.dtype != dtype):
                        break
                else:
                    if not floats_only or dtype in found[1]:
                        try:
                            return found[0](*args, **kwargs)
                        except Exception as error:  # noqa: BLE001 (`fail` raises, or leaves a symbolic call to be recorded)
                            spec.fail(error, args, kwargs)
        return dispatch(args, kwargs)

    return joined


def _of_rest(spec: Op) -> Callable:
    fast, dispatch, owners, start = spec.fast, spec.dispatch, slot.OWNERS, spec.parameters.index(spec.variadic)
    floats_only, same_dtype, array, active = spec.promote == "float", spec.promote is not None, np.ndarray, slot.active

    def variadic(*args, **kwargs):
        tensors = [x.value if type(x) in HOLDERS else x for x in args[start:]]
        kind = type(tensors[0]) if tensors else None
        found = fast.get(kind)
        if found is not None and (kind is not array or active() is found[3]):
            dtype = tensors[0].dtype
            for x in tensors:
                if (type(x) is not kind and owners.get(type(x)) is not found[3]) or (same_dtype and x.dtype != dtype):
                    break
            else:
                if not floats_only or dtype in found[1]:
                    try:
                        return found[0](*args[:start], *tensors, **kwargs)
                    except Exception as error:  # noqa: BLE001 (`fail` raises, or leaves a symbolic call to be recorded)
                        spec.fail(error, args, kwargs)
        return dispatch(args, kwargs)

    return variadic
