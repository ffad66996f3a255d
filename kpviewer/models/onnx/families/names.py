"""Names of all layouts, as ``--layout`` takes them, with what exports each."""

from __future__ import annotations

from collections.abc import Mapping

LAYOUTS: Mapping[str, str] = {
    "kpviewer": "kpviewer export, by its metadata",
    "ultralytics": "Ultralytics: YOLOv5u, v8 to 12, 26 and RT-DETR, by their metadata",
    "ultralytics-rows": "Ultralytics with NMS inside or end to end: rows of corners, score, class",
    "ultralytics-rtdetr": "RT-DETR of Ultralytics: rows of centre, size, score, class",
    "ultralytics-rtdetr-scores": "RT-DETR of Ultralytics before 2026: centre, size, class scores",
    "yolov5": "YOLOv5, YOLOv6, YOLOv7: rows of box, objectness, class scores",
    "yolov4": "YOLOv4 of pytorch-YOLOv4: boxes and confs",
    "yolov7-end2end": "YOLOv7 with --end2end --max-wh: NMS inside",
    "end2end": "YOLO with --end2end: num_dets, det_boxes, det_scores, det_classes",
    "yolov8": "columns of box and class scores, without metadata",
    "yolov8-pose": "columns of box, score and 17 keypoints, without metadata",
    "yolov8-obb": "columns of box, class scores and angle, without metadata",
    "yolov9": "YOLOv9",
    "yolox": "YOLOX, exported without --decode_in_inference",
    "yolox-decoded": "YOLOX with --decode_in_inference",
    "yolo-nas": "YOLO-NAS: boxes and scores",
    "yolo-nas-flat": "YOLO-NAS with NMS inside: one row per box",
    "rt-detr": "RT-DETR and D-FINE",
    "rf-detr": "RF-DETR",
    "hf-rt-detr": "RT-DETR and D-FINE of Hugging Face's transformers",
    "hf-detr": "DETR and YOLOS of Hugging Face's transformers",
    "torchvision": "torchvision: boxes, labels, scores",
    "scrfd": "SCRFD, with or without points",
    "retinaface": "RetinaFace",
    "yunet-2021": "YuNet of 2021 and 2022 (loc, conf, iou)",
    "blazeface": "BlazeFace",
    "rtmdet": "RTMDet",
    "mmdet": "other detectors of MMDetection",
    "mmdet-yolox": "YOLOX of MMDetection",
    "rtmo": "RTMO",
    "rtmpose": "RTMPose (SimCC), for crops of boxes",
    "movenet": "MoveNet SinglePose",
    "movenet-multi": "MoveNet MultiPose",
}
