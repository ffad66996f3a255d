"""Objects are followed from frame to frame where the overlay shows it."""

from __future__ import annotations

from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.following import FollowOptions


def follow(session: Session, style: OverlayStyle) -> None:
    """Have the pipeline of now, and those to come, add what the style shows."""
    session.following = FollowOptions(smooth=style.smooth, track=style.follow)
    if session.pipeline is not None:
        session.pipeline.settings.set_following(session.following)
