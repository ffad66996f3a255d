"""Keys of `.cfg` files beside those that describe the network (``blocks``)."""

from __future__ import annotations

from collections.abc import Mapping

LISTS = frozenset({"anchors", "from", "layers", "mask"})
"""Keys whose value is a list, also of one item."""

_SWITCHES = """
    antialiasing bin_output binary cbn clip coordconv dontload dontloadscales flipped maxpool_depth
    new_coords rotate stretch stretch_sway sway xnor
"""
PLAIN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_SWITCHES.split(), ("0",)),
    **dict.fromkeys(("map", "share_index", "stride_x", "stride_y"), ()),
    "scale": ("1", "1.", "1.0"),
    "weights_type": ("none",),
}
"""Keys that change a network's output, with the values at which they don't."""

_TRAINING = """
    B1 B2 adam angle aspect assisted_excitation attention augment_speed batch batches_per_cycle
    beta_nms blur burn_in burnin_update cls_normalizer contrastive counters_per_class cutmix decay
    delta_normalizer dont_update dynamic_minibatch ema_alpha embedding_layer eps equidistant_point
    exposure flip focal_loss gamma gaussian_noise hue inputs iou_loss iou_normalizer iou_thresh
    iou_thresh_kind jitter label_smooth_eps learning_rate learning_rate_min letter_box loss_scale
    max max_batches max_chart_loss max_crop max_delta min_crop mixup momentum mosaic mosaic_bound
    nms_kind obj_normalizer objectness_smooth onlyforward optimized_memory out_channels policy power
    random resize resize_step saturation scales seq_scales sequential_subdivisions
    sgdr_cycle sgdr_mult show_receptive_field step steps stopbackward subdivisions time_steps track
    truth_thresh try_fix_nan uc_normalizer weights_normalization weights_normalizion
    workspace_size_limit_MB
"""
TRAINING = frozenset(_TRAINING.split())
"""Keys without effect on the output: those of training, and of NMS, which kpviewer's user sets."""
