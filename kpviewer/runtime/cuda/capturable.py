"""Check that a function fits a CUDA graph, before a capture of it fails halfway.

A graph repeats the same kernels on the same memory. It can't hold an operation that reads a value
on the host, whose result's shape depends on values, or that copies a tensor made on the host. Each
is found on any device, as it is dispatched.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from kpviewer.errors import PipelineError

_MASKS = (torch.bool, torch.uint8)
_BY_INDEX = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")
"""Operations whose shape depends on values only if an index is a mask."""


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Raises PipelineError at the first operation that a graph can't hold."""

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        reason = _reason(func, args, kwargs or {}, result)
        if reason is not None:
            raise PipelineError(f"{func} {reason}.")
        return result


def check_capturable(function: Callable[[Tensor], Tensor], example: Tensor) -> Tensor:
    """Run a function that has run before, and return its result.

    Raises:
        PipelineError: if a CUDA graph can't hold it, with the operation that it can't hold.
    """
    with _Watch():  # type: ignore[no-untyped-call]
        return function(example)


def _reason(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> str | None:
    name = func.name().partition(".")[0]
    if torch.Tag.data_dependent_output in func.tags or name == "aten::is_nonzero":
        return "reads a value on the host"
    if name == "aten::lift_fresh":
        return "copies a tensor from the host"
    given = [each for each in pytree.tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    if name in _BY_INDEX:
        indices = pytree.tree_leaves(args[1])
        if any(isinstance(each, Tensor) and each.dtype in _MASKS for each in indices):
            return "has a result whose shape depends on a mask"
    elif torch.Tag.dynamic_output_shape in func.tags:
        return "has a result whose shape depends on values"
    made = [each for each in pytree.tree_leaves(result) if isinstance(each, Tensor)]
    devices = {each.device for each in (*given, *made) if each.dim()}
    return "copies between devices" if len(devices) > 1 else None
