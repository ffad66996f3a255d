"""Anchors, counted and computed by hand."""

from kpviewer.models.networks.ssd.anchors import MapAnchors, anchor_boxes


def test_boxes_are_centred_on_their_cells_in_row_order():
    boxes = anchor_boxes((MapAnchors(32, ((10.0, 20.0),)),), (64, 96))
    assert boxes.shape == (6, 4)
    assert boxes[0].tolist() == [16.0, 16.0, 10.0, 20.0]
    assert boxes[1].tolist() == [48.0, 16.0, 10.0, 20.0]  # along the row first
    assert boxes[3].tolist() == [16.0, 48.0, 10.0, 20.0]


def test_every_map_adds_its_cells_times_its_sizes():
    maps = (MapAnchors(8, ((8.0, 8.0),) * 3), MapAnchors(64, ((90.0, 90.0),) * 2))
    assert len(anchor_boxes(maps, (320, 256))) == 40 * 32 * 3 + 5 * 4 * 2
