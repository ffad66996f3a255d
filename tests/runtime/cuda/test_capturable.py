"""What a CUDA graph can't hold is found before a capture."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kpviewer.errors import PipelineError
from kpviewer.runtime.cuda.capturable import check_capturable

REFUSED: dict[str, tuple[Callable[[Tensor], object], str]] = {
    "a value on the host": (lambda x: x.sum().item(), "reads a value"),
    "a branch": (lambda x: x + 1 if x.max() > 0 else x, "reads a value"),
    "a mask": (lambda x: x[x > 0.5], "a mask"),
    "indices that are not zero": (lambda x: x.nonzero(), "depends on values"),
    "a selection": (lambda x: x.masked_select(x > 0.5), "depends on values"),
    "numbers of the host": (lambda x: x * x.new_tensor([1.0, 2.0]), "from the host"),
    "a list of indices": (lambda x: x[[0, 1]], "from the host"),
    "another device": (lambda x: x.to("meta"), "between devices"),
}


@pytest.mark.parametrize(("function", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_a_graph_cannot_hold_is_refused(function, reason):
    with torch.inference_mode(), pytest.raises(PipelineError, match=reason):
        check_capturable(function, torch.rand(4, 2))


def test_fixed_shapes_on_the_device_are_capturable():
    def best(x: Tensor) -> Tensor:
        rows = x.topk(2, dim=0).indices
        return torch.where(x[rows[:, 0]] > 0.5, x[rows[:, 0]], 0.0) * torch.arange(2)

    x = torch.rand(4, 2)
    with torch.inference_mode():
        assert torch.equal(check_capturable(best, x), best(x))
