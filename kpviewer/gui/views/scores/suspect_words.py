"""Reasons of suspects in words."""

from collections.abc import Sequence

from kpviewer.gui.language import tr, tr_noop
from kpviewer.scanning.signs import Kind
from kpviewer.scanning.suspects import Suspect

GROUPS: tuple[tuple[str, frozenset[Kind]], ...] = (
    (tr_noop("All reasons"), frozenset(Kind)),
    (tr_noop("Flicker"), frozenset({Kind.GONE, Kind.BRIEF})),
    (tr_noop("Jumps"), frozenset({Kind.BOX_JUMP, Kind.LANDMARK_JUMP})),
    (tr_noop("Number of objects"), frozenset({Kind.COUNT})),
    (tr_noop("Odd landmarks"), frozenset({Kind.OUTSIDE, Kind.SHAPE})),
    (tr_noop("A and B differ"), frozenset({Kind.DISAGREEMENT})),
    (tr_noop("Near the threshold"), frozenset({Kind.NEAR})),
)
"""Reasons that can be chosen, and their kinds."""


_WORDS = {
    Kind.GONE: tr_noop("{name} gone for {n} frames"),
    Kind.BRIEF: tr_noop("{name} for 1 frame only"),
    Kind.BOX_JUMP: tr_noop("{name} jumps by {share:.0%} of its size"),
    Kind.LANDMARK_JUMP: tr_noop("{point} jumps by {share:.0%} of the box"),
    Kind.COUNT: tr_noop("{before:g} objects, then {after:g}"),
    Kind.DISAGREEMENT: tr_noop("Both {both:g} · only A {only_a:g} · only B {only_b:g}"),
    Kind.OUTSIDE: tr_noop("landmarks outside the box: {points:g}"),
    Kind.SHAPE: tr_noop("landmarks in unusual places"),
    Kind.NEAR: tr_noop("{name} {score:.2f}, threshold {threshold:.2f}"),
}
_OF_ONE = {
    Kind.GONE: ("frames", tr_noop("{name} gone for 1 frame")),
    Kind.COUNT: ("before", tr_noop("1 object, then {after:g}")),
}
"""Value that may be 1, and the words for that."""


def reason(
    suspect: Suspect, class_names: Sequence[str] = (), keypoint_names: Sequence[str] = ()
) -> str:
    """Return why a frame is suspected, in a few words."""
    named: dict[str, object] = dict(suspect.values)
    named["n"] = int(suspect.values.get("frames", 0))
    named["name"] = _name(class_names, suspect.class_id, tr("object"))
    point = suspect.values.get("point")
    named["point"] = _name(keypoint_names, point, tr("landmark"))
    value, words = _OF_ONE.get(suspect.kind, ("", ""))
    is_one = suspect.values.get(value) == 1
    return tr(words if is_one else _WORDS[suspect.kind]).format(**named)


def _name(names: Sequence[str], row: float | None, other: str) -> str:
    return names[int(row)] if row is not None and row < len(names) else other


def details(suspect: Suspect) -> str:
    """Return the suspicion and the length of the run, for a tooltip."""
    text = tr("Suspicion {value:.2f}").format(value=suspect.suspicion)
    run = int(suspect.values.get("run", 1))
    return (
        text if run < 2 else tr("{text}, {n} suspicious frames in a row").format(text=text, n=run)
    )
