import colorsys
import itertools

import pytest

from kpviewer.overlay.palette import OKABE_ITO, class_color, contrast_ratio, text_color

MANY = range(100)


def wcag_luminance(color: tuple[int, int, int]) -> float:
    """Compute the relative luminance of WCAG 2.2, independently of the palette."""
    parts = [(c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@pytest.mark.parametrize("class_id", MANY)
def test_text_has_contrast_of_at_least_4_5_to_the_plate_of_every_class(class_id):
    plate = class_color(class_id)
    low, high = sorted([wcag_luminance(plate), wcag_luminance(text_color(plate))])
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_contrast_agrees_with_published_values():
    # WebAIM's contrast checker: #767676 on white is 4.54, black on white 21.
    assert contrast_ratio((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)
    assert contrast_ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


def test_the_first_classes_have_the_colours_of_okabe_and_ito():
    assert {class_color(index) for index in range(7)} == set(OKABE_ITO)
    assert (0, 158, 115) in OKABE_ITO  # bluish green


def test_no_two_of_eighty_classes_share_a_colour():
    colors = [class_color(index) for index in range(80)]
    assert len(set(colors)) == 80


def test_neighbouring_classes_past_the_seventh_differ_in_hue():
    hues = [colorsys.rgb_to_hsv(*(c / 255 for c in class_color(index)))[0] for index in MANY[7:]]
    for one, other in itertools.pairwise(hues):
        distance = abs(one - other)
        assert min(distance, 1 - distance) > 0.1


def test_negative_class_is_refused():
    with pytest.raises(ValueError, match="at least 0, got -1"):
        class_color(-1)
