"""A model with its device and backend, and how it is loaded; on a loader's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from kpviewer.errors import KpviewerError, PipelineError
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import (
    EngineLoader,
    Loaders,
    ViewerEngine,
    backend_of,
    load_or_fallback,
    with_backend,
    with_device_fallback,
)
from kpviewer.gui.options import ViewerOptions
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.protocols import content_hash
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.runners import PRECISIONS

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A model, and the device and backend to run it on."""

    model: str
    device: str
    """Device as on the command line: auto, cpu, cuda:0."""
    choice: BackendChoice | None = None
    """Backend and precision; None measures, and takes the fastest."""

    @classmethod
    def to_compare(
        cls, text: str, first_model: str, device: str, choice: BackendChoice | None = None
    ) -> ModelRequest:
        """Parse ``--compare``: a model to run by ``choice``, or how to run the first model."""
        if text in BACKENDS:
            return cls(first_model, device, BackendChoice(text, "auto"))
        if text in PRECISIONS:
            return cls(first_model, device, BackendChoice("auto", text))
        return cls(text, device, choice)

    @property
    def name(self) -> str:
        """Name for people: model, backend and precision."""
        return self.model if self.choice is None else f"{self.model} {self.choice.label}"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that was loaded, and the devices of this machine."""

    request: ModelRequest
    """What was asked for."""
    engine: ViewerEngine
    devices: dict[str, str]
    """Names of all devices for people, by their names on the command line."""
    choice: BackendChoice | None
    """Backend that was chosen and runs; None if it was measured."""
    backends: tuple[BackendChoice, ...]
    """Backends of this machine that run the model."""
    notes: tuple[str, ...]
    """Lines for the user, about what was asked for and can't be had."""
    content: str | None = None
    """Hash of the model's content, as its file was when it was loaded; None if it has none."""
    fallback: ModelRequest | None = None
    """What was loaded in place of a remembered model or device that is gone; None: no other."""
    earlier: tuple[ModelSpec, ...] = ()
    """Descriptions of the same model as it was loaded before, such as on another backend."""

    @property
    def actual(self) -> ModelRequest:
        """Model and device that run."""
        return self.fallback or self.request

    @property
    def device(self) -> str:
        """Device that it runs on, as on the command line: that of its backend if it has one."""
        return (self.choice.device if self.choice is not None else "") or self.actual.device

    def after(self, before: LoadedModel | None) -> LoadedModel:
        """Return this model, with what ``before`` found if that is the same model."""
        if before is None or before.content != self.content:
            return self
        former, own = before.engine.spec, self.engine.spec
        return self if former != own else replace(self, earlier=(*before.earlier, former))

    def found(self, spec: object) -> bool:
        """Return whether a result with this description is of this model.

        Two trainings by one recipe have equal descriptions, so that the object counts.
        """
        return any(spec is each for each in (self.engine.spec, *self.earlier))


def load_request(
    request: ModelRequest,
    loaders: Loaders,
    options: ViewerOptions,
    source_hw: tuple[int, int],
    first: EngineLoader | None = None,
    *,
    insists: bool = False,
) -> LoadedModel:
    """Load a model on its device and backend, or where it can run if they were remembered.

    Args:
        request: model, device and backend.
        loaders: functions that load engines.
        options: options of the window; a device and a backend of the command line are kept.
        source_hw: (height, width) of the source, px.
        first: loads it in place of ``loaders``, for the time being.
        insists: whether device and backend were chosen for this model.

    Raises:
        WeightsError: if the model can't be loaded.
        PipelineError: if it can't run on the device or the backend.
    """
    loaders.permission.check(request.model)
    notes: list[str] = []
    choice, fallback = request.choice, None
    if first is not None:
        engine = first(request.model, request.device, source_hw)
    else:
        own = with_device_fallback(options, request.device)
        if insists:
            own = replace(own, fallback_device=None)

        def load(chosen: BackendChoice | None) -> ViewerEngine:
            nonlocal fallback
            loader = with_backend(loaders, chosen)
            engine, model, device = load_or_fallback(
                loader, own, request.model, request.device, source_hw, notes.append
            )
            actual = replace(request, model=model, device=device)
            fallback = actual if actual != request else None
            return engine

        is_given = choice == options.backend and not options.can_change_backend
        if choice is None or insists or is_given:
            engine = load(choice)
        else:
            engine, choice = _load_or_measure(load, choice, notes)
    backends = _backends_of(engine, request.device)
    devices = loaders.list_devices()
    content = _content_of(engine)
    return LoadedModel(request, engine, devices, choice, backends, tuple(notes), content, fallback)


def _load_or_measure(
    load: Callable[[BackendChoice | None], ViewerEngine], choice: BackendChoice, notes: list[str]
) -> tuple[ViewerEngine, BackendChoice | None]:
    """Load a model on a backend that was remembered, or on the fastest if that can't run it."""
    try:
        return load(choice), choice
    except AmbiguousLayout:
        raise
    except KpviewerError as error:
        _log.info("%s", error)
        notes.clear()
        engine = load(None)
    text = tr("{name} can't run on {backend} here. It runs on {other}.")
    other = backend_of(engine)
    notes.append(text.format(name=engine.spec.name, backend=choice.label, other=other))
    return engine, None


def _content_of(engine: ViewerEngine) -> str | None:
    """Return the hash of a model's content; None if it has none, as some code of users."""
    try:
        return content_hash(engine)
    except Exception as error:  # of the user's own network, which runs all the same
        _log.info("%s can't be recognised again: %s", engine.spec.name, error)
        return None


def _backends_of(engine: ViewerEngine, device: str) -> tuple[BackendChoice, ...]:
    """Return the backends that can run a model on a device, or where it runs instead."""
    list_backends = getattr(engine, "backends", None)  # a program's own engine may have none
    if list_backends is None:
        return ()
    try:
        return tuple(list_backends(device))
    except PipelineError:  # a remembered device, which this model can't use
        return tuple(list_backends("auto"))
