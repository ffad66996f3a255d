"""What reads the features of each RoI: layers of their own, or a vote over bins.

Both return the logits of a softmax, the background first, and box offsets for each class or for
all. R-CNN was published with a linear SVM for each class, trained afterwards on the saved features;
a softmax trained with the network scores about the same (Girshick 2015, Fast R-CNN, section 5.4).
"""

from typing import NamedTuple

from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead

from kpviewer.models.networks.backbones.light import ConvUnit, start_small
from kpviewer.models.networks.regions.pooling import BINS, CELLS

BOX_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Factors of the offsets of centre and size, which make their variance about 1."""
_WIDTH_LIMIT = 1024
_VOTED_WIDTH = 128
"""Channels of the layers before R-FCN's maps."""


def box_coder() -> BoxCoder:
    """Return the encoding of boxes as offsets from RoIs.

    Offsets are those of the centre over the RoI's size, and the logarithm of the ratio of sizes.

    Source: Girshick et al. 2014, R-CNN, appendix C, eq. 1 to 8 (arXiv:1311.2524).
    """
    return BoxCoder(BOX_WEIGHTS)


class RoiPredictions(NamedTuple):
    """Predictions for R RoIs."""

    class_logits: Tensor
    """(R, 1 + C) logits of a softmax, background first."""
    box_offsets: Tensor
    """(R, 1 + C, 4) offsets for each class, or (R, 1, 4) for all."""


class LayersHead(nn.Module):
    """Two fully connected layers, then class logits and the offsets of each class.

    Source: Girshick 2015, Fast R-CNN, section 2 (arXiv:1504.08083); VGG16's layers have 4,096
    values, these at most 1,024.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        width = min(4 * channels, _WIDTH_LIMIT)
        self.layers = TwoMLPHead(channels * CELLS**2, width)
        self.predictor = FastRCNNPredictor(width, 1 + num_classes)

    def forward(self, features: Tensor) -> RoiPredictions:
        """(R, channels, 7, 7) -> predictions."""
        logits, offsets = self.predictor(self.layers(features))
        return RoiPredictions(logits, offsets.reshape(*logits.shape, 4))


class PositionSensitiveMaps(nn.Module):
    """R-FCN: for each class, the background and each box offset, a map for every bin of an RoI.

    Source: Dai et al. 2016, R-FCN, section 2 (arXiv:1605.06409).
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.units = nn.Sequential(
            ConvUnit(channels, _VOTED_WIDTH), ConvUnit(_VOTED_WIDTH, _VOTED_WIDTH)
        )
        self.out = nn.Conv2d(_VOTED_WIDTH, (1 + num_classes + 4) * BINS**2, 1)
        start_small(self.out)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, 9 (1 + C + 4), h, w)."""
        maps: Tensor = self.out(self.units(features))
        return maps


class VotingHead(nn.Module):
    """R-FCN: the mean of an RoI's bins, without any layer of its own.

    Source: Dai et al. 2016, R-FCN, section 2, "voting" (arXiv:1605.06409).
    """

    def forward(self, bins: Tensor) -> RoiPredictions:
        """(R, 1 + C + 4, 3, 3) -> predictions, with one box for all classes."""
        votes = bins.mean((2, 3))
        return RoiPredictions(votes[:, :-4], votes[:, None, -4:])
