"""``kpviewer proposals``: searches data sets for region proposals, before they are trained on."""

from pathlib import Path

import click

from kpviewer.cli.json_output import print_report
from kpviewer.cli.options import data_option, json_option
from kpviewer.cli.path_types import FolderPath


@click.command()
@data_option
@click.option("--folder", metavar="DIR", type=FolderPath(),
              help="Keep the proposals in DIR.  [default: the cache folder]")  # fmt: skip
@click.option("--workers", type=click.IntRange(0, 256), default=1,
              help="Search with N processes; 0: in this one.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Use N images, spread over the set.")
@json_option("the scores")
def command(
    *, spec: str, folder: Path | None, workers: int, limit: int | None, json_path: str | None
) -> None:
    """Search a data set for region proposals, by selective search.

    R-CNN and Fast R-CNN classify proposals: about 2,000 boxes of each image that may hold an
    object. A search takes half a second an image, so training searches each image once and keeps
    its proposals. This command searches beforehand; after an interruption, it continues.

    It prints how many of the objects the proposals cover: a detector can't find the others.
    """
    from tqdm import tqdm

    from kpviewer.cli.eval import read_data
    from kpviewer.evaluation.proposals import RECALL_IOUS, score_proposals
    from kpviewer.training.data.proposal_cache import ProposalCache
    from kpviewer.training.data.proposal_search import search_all

    data = read_data(spec, limit)
    cache = ProposalCache(folder or "")
    with tqdm(total=len(data), unit="image", disable=None, leave=False) as bar:
        report = search_all(data.images, cache, workers, bar.update)
    found = (cache.sample(item).proposals_xyxy for item in data.images)
    scores = score_proposals(data.images, found, data.class_names)
    took = f", {report.seconds:.2f} s of a core each" if report.searched else ""
    lines = [
        f"{len(data):,} images, {scores.per_image:,.0f} proposals an image",
        f"{report.searched:,} searched{took}; the proposals are in {cache.folder}",
        "",
        scores.table().to_text(),
    ]
    values = {
        "data": spec, "images": len(data), "proposals_per_image": scores.per_image,
        "searched": report.searched,
        "seconds_per_search": report.seconds if report.searched else None,
        "recall": {str(iou): scores.recall(iou) for iou in RECALL_IOUS},
        "mean_best_overlap": scores.mean_best_overlap,
        "notes": list(data.notes),
    }  # fmt: skip
    print_report("\n".join(lines), values, json_path)
