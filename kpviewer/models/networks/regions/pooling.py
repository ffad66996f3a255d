"""What is cut out for each proposal: pixels, cells of a map, or a bin of each score map.

R-CNN cuts out pixels, and the backbone reads every crop anew. The others run the backbone once and
cut out of its map. RoIs are rows of ``roi_rows``.
"""

import torch
from torch import Tensor, nn
from torchvision.ops import PSRoIAlign, RoIAlign, RoIPool, roi_align

STRIDE = 16
"""Stride of the map, px."""
CELLS = 7
"""Cells along each side of what is read of an RoI, as in Fast R-CNN, section 2.1."""
CROP_PX = CELLS * STRIDE
"""Side of R-CNN's crops, whose map then has ``CELLS`` cells too."""
CONTEXT_PX = 8
"""Context around a proposal, in px of its crop: the share of R-CNN's 16 px of 227."""
BINS = 3
"""Bins along each side of an RoI in R-FCN, k in the paper."""
_SAMPLES = 2
"""Points along each side of a cell whose mean it is, as in Mask R-CNN, section 3."""


def roi_rows(xyxy: list[Tensor]) -> Tensor:
    """Return the RoIs of a batch as torchvision takes them.

    Args:
        xyxy: boxes of each image, (P, 4), input px.

    Returns:
        (R, 5) index of the image, and xyxy.
    """
    rows = [torch.cat([torch.full_like(each[:, :1], i), each], 1) for i, each in enumerate(xyxy)]
    return torch.cat(rows)


class ImageCrops(nn.Module):
    """R-CNN: crops of the image around each proposal, warped to squares.

    What is outside the image is 0, the mean colour.

    Source: Girshick et al. 2014, R-CNN, appendix A, "warp" with context (arXiv:1311.2524).
    """

    def forward(self, images: Tensor, rois: Tensor) -> Tensor:
        """(B, 3, H, W) and (R, 5), input px -> (R, 3, 112, 112)."""
        sides = rois[:, 3:] - rois[:, 1:3]
        context = sides * CONTEXT_PX / (CROP_PX - 2 * CONTEXT_PX)
        wider = torch.cat([rois[:, :1], rois[:, 1:3] - context, rois[:, 3:] + context], 1)
        crops: Tensor = roi_align(images, wider, CROP_PX, sampling_ratio=_SAMPLES, aligned=True)
        return crops


def roi_max_pooling() -> RoIPool:
    """Return Fast R-CNN's pooling: (B, C, h, w) and (R, 5) -> (R, C, 7, 7) maxima.

    It rounds RoIs and bins to whole cells.

    Source: Girshick 2015, Fast R-CNN, section 2.1 (arXiv:1504.08083).
    """
    return RoIPool(CELLS, 1 / STRIDE)


def roi_alignment() -> RoIAlign:
    """Return pooling that rounds nothing: (B, C, h, w) and (R, 5) -> (R, C, 7, 7) means.

    Faster R-CNN was published with Fast R-CNN's pooling. It has this one since 2017, here too: at
    stride 16, rounding moves a small object by much of its side.

    Source: He et al. 2017, Mask R-CNN, section 3, "RoIAlign" (arXiv:1703.06870).
    """
    return RoIAlign(CELLS, 1 / STRIDE, _SAMPLES, aligned=True)


def position_sensitive_alignment() -> PSRoIAlign:
    """Return R-FCN's pooling: (B, 9 C, h, w) and (R, 5) -> (R, C, 3, 3).

    Bin (i, j) of channel c is the mean of map 9 c + 3 i + j inside that bin.

    Source: Dai et al. 2016, R-FCN, eq. 1 (arXiv:1605.06409); without rounding, as RoIAlign.
    """
    return PSRoIAlign(BINS, 1 / STRIDE, _SAMPLES)
