"""Fake of ``mss.MSS``: two screens side by side, with numbered images."""

import numpy as np
from mss import ScreenShotError
from videos import HEIGHT, WIDTH, numbered_image

ALL = {"left": 0, "top": 0, "width": 2 * WIDTH, "height": HEIGHT}
FIRST = {"left": 0, "top": 0, "width": WIDTH, "height": HEIGHT, "name": "DP-1"}
SECOND = {"left": WIDTH, "top": 0, "width": WIDTH, "height": HEIGHT}


class FakeScreens:
    """Two screens: the first shows the next number at each capture, the second is dark.

    Args:
        captures: number of captures before the screen is lost.
    """

    def __init__(self, captures: int = 1000) -> None:
        self.monitors = [ALL, FIRST, SECOND]
        self.captures = captures
        self.areas: list[dict[str, int]] = []
        self.closes = 0

    def grab(self, area: dict[str, int], /) -> np.ndarray:
        if len(self.areas) >= self.captures:
            raise ScreenShotError("the screen is off")
        desktop = np.zeros((HEIGHT, 2 * WIDTH, 4), np.uint8)
        desktop[:, :WIDTH, :3] = numbered_image(max(len(self.areas) - 1, 0) % 256)
        desktop[..., 3] = 255
        self.areas.append(area)
        left, top = area["left"], area["top"]
        return desktop[top : top + area["height"], left : left + area["width"]].copy()

    def close(self) -> None:
        self.closes += 1
