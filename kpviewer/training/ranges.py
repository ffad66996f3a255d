"""Types of a recipe's values with their ranges; ``config`` checks values against them."""

from typing import Annotated, TypeAlias

from msgspec import Meta

_MOST = 10**9

Count: TypeAlias = Annotated[int, Meta(ge=1, le=_MOST)]
CountOrZero: TypeAlias = Annotated[int, Meta(ge=0, le=_MOST)]
BatchSize: TypeAlias = Annotated[int, Meta(ge=1, le=65_536)]
Workers: TypeAlias = Annotated[int, Meta(ge=0, le=256)]
"""Number of processes: far more would fill the memory of the machine before the first step."""
Positive: TypeAlias = Annotated[float, Meta(gt=0, le=1e9)]
NotNegative: TypeAlias = Annotated[float, Meta(ge=0, le=1e9)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
ShareBelowOne: TypeAlias = Annotated[float, Meta(ge=0, lt=1)]
InnerShare: TypeAlias = Annotated[float, Meta(gt=0, lt=1)]
"""Neither nothing nor the whole."""
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""Seeds of legs and of workers are products of it that must fit into 64 bits."""
Degrees: TypeAlias = Annotated[float, Meta(ge=0, le=180)]
