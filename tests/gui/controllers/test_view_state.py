"""Cards and chips over the video in each state."""

from dataclasses import replace

import pytest

from kpviewer.gui.controllers.view_state import describe, empty_card
from kpviewer.gui.session.base import SessionStatus
from kpviewer.pipeline_status import PipelineState, PipelineStats, PipelineStatus, StopReason

RUNNING = PipelineStatus(PipelineState.RUNNING, None, PipelineStats(), None)
STATUS = SessionStatus("clip.mp4", 3.0, RUNNING, None, None, 0.0, None)


def test_nothing_stands_over_a_video_that_plays():
    state = describe(STATUS, has_image=True)
    assert (state.card, state.chip, state.is_dimmed) == (None, "", False)


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("/data/runs/detect/train3/weights/best.onnx", " best.onnx …"),
        ("two-stage:face-ssd+face-points", " Faces, precise landmarks (slower) …"),
        ("torchvision:ssd300_vgg16", " torchvision:ssd300_vgg16 …"),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
def test_a_model_that_loads_has_its_name_in_the_menu(model, shown, waits):
    loading = replace(STATUS, loading_model=model, waits_for_model=waits)
    chip = describe(loading, has_image=True).chip
    assert chip.endswith(shown)
    assert "/" not in chip


def test_nothing_open():
    assert (
        describe(replace(STATUS, source=None, pipeline=None), has_image=False).card == empty_card()
    )


def test_opening_shows_the_name_and_the_time():
    card = describe(STATUS, has_image=False).card
    assert "clip.mp4" in card.title
    assert "3 s" in card.text
    assert card.buttons == (("cancel", "Cancel"),)


def test_opening_shows_the_reason_of_the_wait():
    waiting = replace(RUNNING, warning="No keyframe came yet.")
    card = describe(replace(STATUS, pipeline=waiting), has_image=False).card
    assert "No keyframe came yet." in card.text


def test_opening_quickly_flashes_no_card():
    assert describe(replace(STATUS, opening_s=0.1), has_image=False).card is None


def test_lost_signal_dims_the_last_image_and_counts():
    lost = replace(RUNNING, signal_lost_s=4.4, reconnects=9, attempts=2)
    state = describe(replace(STATUS, pipeline=lost), has_image=True)
    assert state.is_dimmed
    assert "4 s" in state.chip
    assert "try 2" in state.chip


def test_a_file_that_stalls_dims_the_last_image_and_counts():
    stalled = replace(RUNNING, read_s=6.2)
    state = describe(replace(STATUS, pipeline=stalled), has_image=True)
    assert state.is_dimmed
    assert "6 s" in state.chip


@pytest.mark.parametrize("has_image", [False, True])
def test_a_model_that_hangs_is_shown_until_another_one_loads(has_image):
    hangs = replace(STATUS, pipeline=replace(RUNNING, model_silent_s=12.3))
    assert "The model hasn't answered for 12 s" in describe(hangs, has_image=has_image).chip
    loading = describe(replace(hangs, loading_model="other"), has_image=True)
    assert "Loading model other" in loading.chip
    assert loading.can_cancel


def test_a_model_that_did_not_load_can_be_closed_if_another_one_goes_on():
    failed = replace(STATUS, pipeline=RUNNING, model_failure="No.")
    assert not describe(failed, has_image=True).can_close
    assert describe(replace(failed, has_model=True), has_image=True).can_close
    loading = describe(replace(failed, has_model=True, loading_model="x"), has_image=True)
    assert (loading.can_cancel, loading.can_close) == (True, False)


@pytest.mark.parametrize(("seconds", "chip"), [(0.2, ""), (3.4, "Detecting … 3 s")])
def test_a_model_that_takes_seconds_counts_them(seconds, chip):
    state = describe(
        replace(STATUS, pipeline=replace(RUNNING, detecting_s=seconds)), has_image=True
    )
    assert (state.chip, state.is_dimmed, state.can_cancel) == (chip, False, False)


def test_a_model_that_fails_on_every_frame_has_a_card_over_the_video():
    fails = replace(RUNNING, model_failure="The model fails on every frame: No.\nChoose another.")
    state = describe(replace(STATUS, pipeline=fails), has_image=True)
    assert (state.card.title, state.card.text) == (
        "The model fails on every frame: No.",
        "Choose another.",
    )
    assert state.card.buttons == (("model", "Open model"),)
    assert not state.hides_image


def test_error_has_a_sentence_and_a_cure():
    message = "Cannot open camera 3. Is another program using it?"
    state = describe(replace(STATUS, failure=message), has_image=True)
    assert state.card.title == "Cannot open camera 3."
    assert state.card.text == "Is another program using it?"
    assert state.card.buttons[0] == ("retry", "Try again")


def test_folder_without_images_offers_the_one_below_that_has_some():
    message = "There is no image in /data/cards that can be shown. Open /data/cards/R&D."
    failed = replace(STATUS, failure=message, below=("/data/cards/R&D",))
    card = describe(failed, has_image=False).card
    assert card.text == "Open /data/cards/R&D."
    assert card.buttons[0] == ("below", "Open R&&D")
    assert "retry" not in dict(card.buttons)


@pytest.mark.parametrize(
    ("below", "text"), [(["/v/a.mp4"], "Open a.mp4"), (["/v/a.mp4", "/v/b.mp4"], "Open 2 videos")]
)
def test_folder_with_videos_alone_offers_them(below, text):
    card = describe(replace(STATUS, failure="No image.", below=tuple(below)), has_image=False).card
    assert card.buttons[0] == ("below", text)


def test_dots_inside_a_name_end_no_sentence():
    message = "clip.v2.mp4 is broken.\nCopy it again."
    card = describe(replace(STATUS, failure=message), has_image=False).card
    assert (card.title, card.text) == ("clip.v2.mp4 is broken.", "Copy it again.")


def test_model_loads_while_the_video_plays():
    state = describe(replace(STATUS, loading_model="face-ssd", loading_s=2.0), has_image=True)
    assert state.card is None
    assert "Faces and landmarks … 2 s" in state.chip


def test_end_of_file_shows_how_to_continue_or_what_was_wrong():
    held = replace(RUNNING, state=PipelineState.PAUSED, stop_reason=StopReason.END_OF_STREAM)
    assert "Space" in describe(replace(STATUS, pipeline=held), has_image=True).chip
    early = replace(held, warning="ended early: 23 of 51 frames could be read")
    assert "23 of 51" in describe(replace(STATUS, pipeline=early), has_image=True).chip


def test_lost_signal_shows_its_cause():
    lost = replace(RUNNING, signal_lost_s=4.4, warning="The camera hung up.")
    assert "The camera hung up." in describe(replace(STATUS, pipeline=lost), has_image=True).chip


def test_a_single_image_is_no_video_that_ended():
    over = replace(RUNNING, stop_reason=StopReason.END_OF_STREAM)
    status = replace(STATUS, pipeline=over)
    assert describe(replace(status, is_one_image=True), has_image=True).chip == ""
    assert describe(status, has_image=True).chip.startswith("The end")
