"""A factory of pipelines that closes what it made."""

from collections.abc import Callable, Iterator

import pytest
from fakes import FakeEngine, FakeSource

from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions

MakePipeline = Callable[..., Pipeline]


@pytest.fixture
def make_pipeline() -> Iterator[MakePipeline]:
    """Make pipelines; at the end blocked parts are released and each pipeline is closed."""
    made: list[Pipeline] = []
    parts: list[FakeSource | FakeEngine | None] = []

    def make(
        source: FakeSource, engine: FakeEngine | None = None, options: PipelineOptions | None = None
    ) -> Pipeline:
        made.append(Pipeline(source, engine, options=options))
        parts.extend((source, engine))
        return made[-1]

    yield make
    for part in parts:
        if isinstance(part, FakeSource):
            part.interrupt()
        elif part is not None:
            part.go_on()
    for pipeline in made:
        pipeline.close()
