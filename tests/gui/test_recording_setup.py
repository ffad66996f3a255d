"""What is told of a recording before it runs."""

import pytest

from kpviewer.gui.saving.setup import space_text


@pytest.mark.parametrize(
    ("rate", "free", "text"),
    [
        (12.0, 40_000_000_000, "about 12 MB a minute; 40 GB free, 56 h"),
        (100.0, 1_500_000_000, "about 100 MB a minute; 1.5 GB free, 15 min"),
        (0.18, 900_000_000_000, "about 0.18 MB a minute; 900 GB free, months"),
    ],
)
def test_space_is_told_in_words(rate: float, free: int, text: str) -> None:
    assert space_text(rate, free) == text
