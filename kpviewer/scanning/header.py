"""Header of a scan file: which model ran on which source, and how."""

from functools import cached_property
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from kpviewer import __version__
from kpviewer.errors import ScanError, WeightsError
from kpviewer.models.limits import MAX_NAME, MAX_SIDE_PX, Name
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.models.tables import UNREADABLE, first_line
from kpviewer.pipeline.protocols import InferenceEngine, runs_on
from kpviewer.scanning.columns import floor_for
from kpviewer.structures import StreamInfo
from kpviewer.system.paths import utf8_text

VERSION = 1
MAX_HEADER_BYTES = 4 * 1024**2
MAX_FRAMES = 2**40

_Side: TypeAlias = Annotated[int, Meta(ge=0, le=4 * MAX_SIDE_PX)]
_Hash: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[0-9a-z:.]+$")]
_Source: TypeAlias = Annotated[str, Meta(max_length=4096)]


class ScanHeader(Struct, frozen=True, kw_only=True, dict=True):
    """Model, source and floor of a scan; msgpack as a map, so that versions may add fields."""

    format: Literal["kpviewer-scan"] = "kpviewer-scan"
    version: Annotated[int, Meta(ge=1)] = VERSION
    kpviewer: Annotated[str, Meta(max_length=100)] = __version__
    """Version of kpviewer that began the file."""
    model: Name
    """Name of the model."""
    model_hash: _Hash
    """Hash of all that candidates depend on (``runtime.content.model_hash``)."""
    backend: Name
    """Backend that ran the model, not compared."""
    precision: Name
    """Its precision, not compared."""
    device: Name
    """Its device, not compared."""
    spec_json: Annotated[str, Meta(max_length=MAX_HEADER_BYTES)]
    """The model's description (``ModelSpec.to_json``)."""
    source: _Source
    """Display name of the source."""
    fingerprint: _Hash
    """Content of the source (``scanning.fingerprint``)."""
    frame_count: Annotated[int, Meta(ge=0, le=MAX_FRAMES)] | None
    """Number of frames as the source states it; None if it doesn't."""
    fps: Annotated[float, Meta(gt=0, le=1e6)] | None
    """Nominal frame rate."""
    width: _Side
    """Width of the first frame, px."""
    height: _Side
    """Height of the first frame, px."""
    floor: Annotated[float, Meta(ge=0, le=1)]
    """Lowest score kept; thresholds below it can't be answered."""

    @cached_property
    def spec(self) -> ModelSpec:
        """Description of the model."""
        return ModelSpec.from_json(self.spec_json)

    def fits(self, fingerprint: str | None, model_hash: str | None) -> bool:
        """Return whether the file is of this source and this model."""
        return self.fingerprint == fingerprint and self.model_hash == model_hash


def header_for(
    info: StreamInfo, fingerprint: str, engine: InferenceEngine, model_hash: str
) -> ScanHeader:
    """Return the header of a new scan."""
    spec, fps = engine.spec, info.nominal_fps
    device, backend, precision = (name[:MAX_NAME] for name in runs_on(engine))
    return ScanHeader(
        model=spec.name,  # not its path, which is nobody else's business
        model_hash=model_hash,
        backend=backend,
        precision=precision,
        device=device,
        spec_json=spec.to_json(),
        source=utf8_text(info.name)[:4096],
        fingerprint=fingerprint,
        frame_count=info.frame_count,
        fps=fps if fps is not None and 0 < fps <= 1e6 else None,
        width=info.width,
        height=info.height,
        floor=floor_of(spec),
    )


def floor_of(spec: ModelSpec) -> float:
    """Return the lowest score that a scan of a model keeps.

    A multi-label model has one candidate a frame, and all its scores are shown: they are kept.
    """
    return 0.0 if spec.task is Task.CLASSIFY else floor_for(spec.score_threshold)


def decode_header(data: bytes, name: str) -> ScanHeader:
    """Return a header from msgpack, checked.

    Raises:
        ScanError: if it isn't a header, of a newer version, or a value is out of range.
    """
    try:
        stated = msgspec.msgpack.decode(data, type=_Version)
        if stated.version > VERSION:
            raise ScanError(
                f"{name} is a scan of a newer kpviewer (format {stated.version}). Update kpviewer, "
                "or scan again."
            )
        header = msgspec.msgpack.decode(data, type=ScanHeader)
        _ = header.spec  # read now: a damaged one is refused here
    except (msgspec.MsgspecError, *UNREADABLE, WeightsError) as error:
        raise ScanError(
            f"{name} isn't a readable scan: {first_line(error)}. Scan again."
        ) from error
    return header


class _Version(Struct):
    """Part of a header that every version has."""

    version: int
