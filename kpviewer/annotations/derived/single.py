"""Selection of the images of a set that show exactly one object."""

from dataclasses import replace

from kpviewer.annotations.structure import AnnotationSet


def with_one_object(annotations: AnnotationSet) -> AnnotationSet:
    """Return the images with exactly one object that isn't difficult; ``notes`` counts the rest."""
    images = tuple(
        image
        for image in annotations.images
        if len(image.targets) == 1 and not image.targets.difficult[0]
    )
    left_out = len(annotations) - len(images)
    notes = annotations.notes
    if left_out:
        note = f"{left_out} of {len(annotations)} images left out: not exactly one object"
        notes = (*notes, note)
    return replace(annotations, images=images, notes=notes)
