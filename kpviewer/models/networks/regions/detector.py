"""Decoding of region-based detectors: RoIs and their predictions to candidates."""

import torch
from torch import Tensor

from kpviewer.models.base import DecodedBatch
from kpviewer.models.networks.boxes import clipped
from kpviewer.models.networks.ranking import Rows, ranked
from kpviewer.models.networks.regions.heads import RoiPredictions, box_coder
from kpviewer.models.networks.regions.network import RegionNetwork, RegionOutputs
from kpviewer.models.ranking import MAX_CANDIDATES
from kpviewer.models.spec import ModelSpec


class RegionDetector:
    """A region-based network with its description and decoding."""

    def __init__(self, spec: ModelSpec, network: RegionNetwork) -> None:
        self.spec = spec
        self.network = network

    def decode(self, raw: RegionOutputs, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode the predictions of all RoIs, before NMS.

        Returns:
            400 rows per image; input px, boxes clipped. With boxes for each class, an RoI has a row
            for each class, with this class's score alone.
        """
        counts = [len(xyxy) for xyxy in raw.rois]
        logits = torch.split(raw.predictions.class_logits, counts)
        offsets = torch.split(raw.predictions.box_offsets, counts)
        rows = [
            roi_candidates(xyxy, RoiPredictions(*each), input_hw)
            for xyxy, *each in zip(raw.rois, logits, offsets, strict=True)
        ]
        return ranked(rows, MAX_CANDIDATES)


def roi_candidates(rois: Tensor, predictions: RoiPredictions, input_hw: tuple[int, int]) -> Rows:
    """Return the candidates of one image."""
    scores = predictions.class_logits.softmax(-1)[:, 1:]  # (P, C)
    offsets = predictions.box_offsets.flatten(1)
    xyxy = box_coder().decode_single(offsets, rois).reshape(*predictions.box_offsets.shape)
    xyxy = clipped(xyxy, input_hw)
    no_points = xyxy.new_zeros(1, 0, 2)
    if xyxy.shape[1] == 1:  # one box for all classes
        return Rows(xyxy[:, 0], scores, no_points.expand(len(xyxy), 0, 2))
    own_xyxy = xyxy[:, 1:].flatten(0, 1)  # (P * C, 4)
    own_scores = torch.diag_embed(scores).flatten(0, 1)  # (P * C, C)
    return Rows(own_xyxy, own_scores, no_points.expand(len(own_xyxy), 0, 2))
