"""What onnxruntime reads and writes, bound to arrays that it uses in place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..kerneldef import Array


class Bindings:
    """The bindings of a session to the arrays of its last two runs.

    A step of training binds a hundred arrays, and nearly all of them are those of the last step
    but one: the state goes to and fro between two sets. So two bindings are kept, and arrays are
    bound anew only where they are others.

    Args:
        session: onnxruntime's session.
        value: Makes onnxruntime's value of an array, on the same memory.
        copies: Whether what is bound is copied to a device at once, so that nothing can be kept.
    """

    def __init__(self, session: Any, value: Callable[[Array], Any], *, copies: bool) -> None:
        self._session, self._value, self._most = session, value, 0 if copies else 2
        self._kept: list[_Binding] = []

    def run(
        self,
        feeds: Mapping[str, Array],
        into: Mapping[str, Array],
        inputs: Sequence[str],
        outputs: Sequence[str],
    ) -> dict[str, Array]:
        """Run the session on arrays; see `Session.run_into`."""
        binding = next((each for each in self._kept if each.writes_to(into)), None)
        if binding is None:
            binding = _Binding(self._session.io_binding(), self._value, dict(into), outputs)
        others = (each for each in self._kept if each is not binding)
        self._kept = [binding, *others][: self._most]
        return binding.run(self._session, feeds, inputs, outputs)


class _Binding:
    """A binding, with the arrays that it has bound.

    Args:
        binding: onnxruntime's binding.
        value: Makes onnxruntime's value of an array.
        into: Arrays by an output's name that it is written to.
        outputs: All outputs.
    """

    def __init__(
        self,
        binding: Any,
        value: Callable[[Array], Any],
        into: dict[str, Array],
        outputs: Sequence[str],
    ) -> None:
        self._binding, self._value, self._into = binding, value, into
        self._inputs: dict[str, Array] = {}
        for name in outputs:  # results come in the order in which they are bound
            if name in into:
                binding.bind_ortvalue_output(name, value(into[name]))
            else:
                binding.bind_output(name)

    def writes_to(self, into: Mapping[str, Array]) -> bool:
        """Whether it writes to these very arrays."""
        return self._into.keys() == into.keys() and all(
            self._into[name] is array for name, array in into.items()
        )

    def run(
        self,
        session: Any,
        feeds: Mapping[str, Array],
        inputs: Sequence[str],
        outputs: Sequence[str],
    ) -> dict[str, Array]:
        """Run the session, and return all outputs."""
        for name in inputs:
            if self._inputs.get(name) is not feeds[name]:
                self._bind(name, feeds[name])
        for name in outputs:
            if name not in self._into:  # or the next run would write over what this one gives
                self._binding.bind_output(name)
        session.run_with_iobinding(self._binding)
        found = self._binding.get_outputs_as_ortvaluevector()
        return {
            name: self._into[name] if name in self._into else found[place].numpy()
            for place, name in enumerate(outputs)
        }

    def _bind(self, name: str, array: Array) -> None:
        """Bind an array, or a copy of one whose numbers do not lie in a row."""
        given = np.ascontiguousarray(array).reshape(np.shape(array))  # of 0 axes, too
        self._binding.bind_ortvalue_input(name, self._value(given))
        self._inputs.pop(name, None)
        if array.flags.c_contiguous:
            self._inputs[name] = array
