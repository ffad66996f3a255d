"""Hash of a data set, by which results tell what they were scored on."""

import hashlib

from kpviewer.annotations.structure import AnnotationSet


def fingerprint_of(annotations: AnnotationSet) -> str:
    """Return a hash of the classes, and of each image's name and objects; no image is read."""
    digest = hashlib.blake2b(digest_size=16)
    names = (annotations.class_names, annotations.keypoint_names, annotations.skeleton)
    digest.update(ascii((names, sorted(annotations.category_ids.items()))).encode())
    for image in annotations.images:
        objects, labelled = image.targets, image.targets.labelled_ids
        about = (
            (str(image.path), image.size_wh, image.image_id, image.frame_index),
            (image.source, image.is_partial, objects.keypoints_xy.shape),
            None if labelled is None else sorted(labelled),
        )
        digest.update(ascii(about).encode())
        for values in (
            objects.xyxy,
            objects.class_ids,
            objects.keypoints_xy,
            objects.keypoints_visible,
            objects.difficult,
        ):
            digest.update(values.tobytes())
    return digest.hexdigest()
