"""A YOLOv3 network with its description, and the choice of its best predictions."""

import torch

from kpviewer.models.base import DecodedBatch
from kpviewer.models.networks.boxes import clipped, cxcywh_to_xyxy
from kpviewer.models.networks.ssd.detector import best_logit
from kpviewer.models.networks.yolov3.heads import BOX_VALUES, YoloHeads, YoloNetwork, decode_boxes
from kpviewer.models.ranking import MAX_CANDIDATES
from kpviewer.models.spec import ModelSpec


class YoloDetector:
    """A YOLOv3 of boxes."""

    def __init__(self, spec: ModelSpec, network: YoloNetwork) -> None:
        self.spec = spec
        self.network = network

    def decode(self, raw: YoloHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode the best predictions; a score is objectness times the class score.

        Classes are independent: each has a logistic score of its own.

        Returns:
            M = min(P, 400) rows per image, by descending best score; input px, boxes clipped.
        """
        rows, cells = raw.rows(), self.network.cells(raw)
        ranks = rows[..., BOX_VALUES - 1].sigmoid() * best_logit(rows[..., BOX_VALUES:]).sigmoid()
        best = ranks.topk(min(MAX_CANDIDATES, rows.shape[1]), dim=1).indices  # (B, M)
        batch = torch.arange(len(rows), device=rows.device)[:, None]
        chosen = rows[batch, best]  # (B, M, 5 + C)
        xyxy = clipped(cxcywh_to_xyxy(decode_boxes(chosen, cells.chosen(best))), input_hw)
        probability = chosen[..., BOX_VALUES - 1 :].sigmoid()
        scores = probability[..., :1] * probability[..., 1:]
        return DecodedBatch(xyxy, scores, xyxy.new_zeros(*best.shape, 0, 2))
