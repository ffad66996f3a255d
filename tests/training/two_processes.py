"""Program that trains in two processes of ``torchrun``'s launcher, and then runs a command in them.

    python two_processes.py LOSSES_JSON train ...

Each process uses its share of one row of images. Without the launcher, one uses the whole row. The
first one writes the losses. One program for both, whose processes are forked where they can be:
importing torch and its compiler takes longer than all that they do.
"""

import json
import os
import sys
from pathlib import Path

from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from training.lines import LineObjective

from kpviewer.cli.main import main
from kpviewer.training.config import TrainConfig
from kpviewer.training.distributed import joined_world
from kpviewer.training.loop import Trainer

IMAGES_A_STEP, STOP = 8, 10


def curve(processes: int, rank: int = 0) -> list[list[float]]:
    """Return the losses of each step of a run that only the first process asks to stop, at STOP."""
    with joined_world("cpu") as (world, device):
        assert (world.rank, world.size) == (rank, processes)
        config = TrainConfig(
            steps=15, batch=IMAGES_A_STEP // (2 * processes), accumulate=2, save_every=5,
            inputs=(8,), input_shares=(1.0,), workers=0, warmup_steps=1,
        )  # fmt: skip
        losses: list[list[float]] = []
        objective = LineObjective(rank, processes)
        trainer = Trainer(objective, config, device, world)
        trainer.run(
            lambda report: losses.append([*report.losses]),
            lambda: bool(world.broadcast_from_first(world.is_first and trainer.step == STOP)),
        )
        seeds = world.broadcast_from_first(objective.seeds)
        assert (objective.seeds == seeds) == world.is_first  # others draw other images
    return losses


def train() -> None:
    """Train as one of the processes; then run the command."""
    rank = int(os.environ["RANK"])
    found = curve(int(os.environ["WORLD_SIZE"]), rank)
    if rank == 0:
        Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
    main(sys.argv[2:])


if __name__ == "__main__":
    method = "fork" if sys.platform == "linux" else "spawn"
    options = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=2, run_id="two", start_method=method,
        rdzv_backend="c10d", rdzv_endpoint="localhost:0",
    )  # fmt: skip
    elastic_launch(options, train)()
