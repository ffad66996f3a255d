"""YOLOv3: heads at two or three strides, anchors from the data, one objectness a box."""
