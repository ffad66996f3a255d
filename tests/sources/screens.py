"""A stand-in for ``mss.MSS``: two screens side by side, with images that carry their number."""

import numpy as np
from mss import ScreenShotError
from videos import HEIGHT, WIDTH, numbered_image

ALL = {"left": 0, "top": 0, "width": 2 * WIDTH, "height": HEIGHT}
FIRST = {"left": 0, "top": 0, "width": WIDTH, "height": HEIGHT, "name": "DP-1"}
SECOND = {"left": WIDTH, "top": 0, "width": WIDTH, "height": HEIGHT}


class FakeScreens:
    """The second screen is dark; on the first, each look shows the next number.

    Args:
        looks: images until the screen is gone.
    """

    def __init__(self, looks: int = 1000) -> None:
        self.monitors = [ALL, FIRST, SECOND]
        self.looks = looks
        self.areas: list[dict[str, int]] = []
        self.closes = 0

    def grab(self, area: dict[str, int], /) -> np.ndarray:
        if len(self.areas) >= self.looks:
            raise ScreenShotError("the screen is off")
        desktop = np.zeros((HEIGHT, 2 * WIDTH, 4), np.uint8)
        desktop[:, :WIDTH, :3] = numbered_image(max(len(self.areas) - 1, 0) % 256)
        desktop[..., 3] = 255
        self.areas.append(area)
        left, top = area["left"], area["top"]
        return desktop[top : top + area["height"], left : left + area["width"]].copy()

    def close(self) -> None:
        self.closes += 1
