"""Networks built without initial values, as a file has them: these take nine tenths of building."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from torch import Tensor
from torch.overrides import TorchFunctionMode

Built = TypeVar("Built")
Arguments = ParamSpec("Arguments")
_RANDOM = {Tensor.normal_, Tensor.uniform_}


class _NoInitialValues(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _RANDOM or getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def unfilled(
    build: Callable[Arguments, Built], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Built:
    """Return what ``build`` does, with parameters of any value: load all of them next."""
    with _NoInitialValues():
        return build(*args, **kwargs)
