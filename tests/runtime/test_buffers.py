"""Frame buffers: leased, counted, and reused only after every holder released them."""

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import TIMEOUT_S
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from interpreter import python

from kpviewer.errors import PipelineError
from kpviewer.runtime.buffers import BufferLease, PinnedPool


class FakeFence:
    """A copy that is under way until ``done``."""

    def __init__(self) -> None:
        self.done = False
        self.was_waited_for = False

    def query(self) -> bool:
        return self.done

    def synchronize(self) -> None:
        self.was_waited_for = self.done = True


def acquire(pool: PinnedPool) -> BufferLease:
    lease = pool.acquire(0)
    assert lease is not None
    return lease


def test_allocate_gives_a_writable_image_of_the_size_asked_for():
    lease = acquire(PinnedPool(1))
    bgr = lease.allocate(3, 5)
    bgr[:] = 7
    assert bgr.shape == (3, 5, 3)
    assert bgr.dtype == np.uint8
    assert bgr.flags.c_contiguous


def test_a_slot_grows_for_a_larger_frame_and_is_reused_for_a_smaller_one():
    pool = PinnedPool(1)
    addresses = []
    for height, width in ((2, 2), (8, 8), (4, 4), (8, 8)):
        lease = acquire(pool)
        addresses.append(lease.allocate(height, width).ctypes.data)
        lease.release()
    assert addresses[1] == addresses[2] == addresses[3]


def test_growing_leaves_an_older_image_of_the_slot_alone():
    pool = PinnedPool(1)
    lease = acquire(pool)
    small = lease.allocate(2, 2)
    small[:] = 9
    lease.allocate(50, 50)[:] = 1
    assert (small == 9).all()


def test_no_slot_is_leased_twice_at_once():
    pool = PinnedPool(2)
    first, second = acquire(pool), acquire(pool)
    assert pool.acquire(0) is None
    assert not np.shares_memory(first.allocate(4, 4), second.allocate(4, 4))


def test_a_slot_returns_only_when_every_holder_released_it():
    pool = PinnedPool(1)
    lease = acquire(pool)
    lease.retain()
    lease.release()
    assert pool.acquire(0) is None
    lease.release()
    assert pool.acquire(0) is not None


@pytest.mark.parametrize("action", ["release", "retain", "seal"])
def test_an_ended_lease_can_not_be_used(action):
    lease = acquire(PinnedPool(1))
    lease.release()
    with pytest.raises(PipelineError, match="given back"):
        getattr(lease, action)()


def test_an_ended_lease_can_not_be_filled_or_guarded():
    lease = acquire(PinnedPool(1))
    lease.release()
    with pytest.raises(PipelineError, match="given back"):
        lease.allocate(2, 2)
    with pytest.raises(PipelineError, match="given back"):
        lease.guard(FakeFence())


def test_a_stale_lease_can_not_free_the_slot_of_its_next_holder():
    pool = PinnedPool(1)
    stale = acquire(pool)
    stale.release()
    acquire(pool)
    with pytest.raises(PipelineError):
        stale.release()
    assert pool.acquire(0) is None


def test_a_sealed_buffer_can_not_be_filled_again():
    lease = acquire(PinnedPool(1))
    lease.allocate(2, 2)
    lease.seal()
    with pytest.raises(PipelineError, match="sealed"):
        lease.allocate(2, 2)


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (-1, 4)])
def test_an_image_without_pixels_is_refused(size):
    with pytest.raises(ValueError, match="must be positive"):
        acquire(PinnedPool(1)).allocate(*size)


def test_a_pool_without_slots_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        PinnedPool(0)


def test_acquire_waits_for_a_release_in_another_thread():
    pool = PinnedPool(1)
    lease = acquire(pool)
    lent: list[BufferLease | None] = []
    waiter = threading.Thread(target=lambda: lent.append(pool.acquire(TIMEOUT_S)))
    waiter.start()
    lease.release()
    waiter.join(TIMEOUT_S)
    assert lent[0] is not None


def test_acquire_gives_up_when_the_time_is_up():
    pool = PinnedPool(1)
    acquire(pool)
    assert pool.acquire(0.01) is None


def test_a_fenced_slot_is_skipped_while_another_is_free():
    pool = PinnedPool(2)
    first, fenced = acquire(pool), acquire(pool)
    fence = FakeFence()
    address = fenced.allocate(4, 4).ctypes.data
    fenced.guard(fence)
    first.release()
    fenced.release()
    assert acquire(pool).allocate(4, 4).ctypes.data != address
    assert not fence.was_waited_for


def test_without_waiting_a_fenced_slot_counts_as_taken():
    pool = PinnedPool(1)
    lease, fence = acquire(pool), FakeFence()
    lease.guard(fence)
    lease.release()
    assert pool.acquire(0) is None
    fence.done = True
    assert pool.acquire(0) is not None


def test_with_waiting_the_fence_is_waited_for_before_reuse():
    pool = PinnedPool(1)
    lease, fence = acquire(pool), FakeFence()
    lease.guard(fence)
    lease.release()
    assert pool.acquire() is not None
    assert fence.was_waited_for


def test_pinning_without_cuda_stays_with_plain_memory(monkeypatch):
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))
    monkeypatch.setitem(sys.modules, "torch", torch)  # the real one takes seconds to import
    pool = PinnedPool(1)
    pool.use_pinned(True)
    assert not pool.is_pinned
    assert acquire(pool).allocate(4, 4).shape == (4, 4, 3)


@pytest.mark.gpu
def test_pinned_slots_are_page_locked_and_plain_again_when_asked():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    pool = PinnedPool(1)
    for wanted in (True, False):
        pool.use_pinned(wanted)
        lease = acquire(pool)
        assert torch.from_numpy(lease.allocate(64, 64)).is_pinned() is wanted
        lease.release()


def test_plain_buffers_need_no_torch():
    python(
        "import sys; sys.modules['torch'] = None\n"
        "from kpviewer.runtime.buffers import PinnedPool\n"
        "lease = PinnedPool(2).acquire(0); lease.allocate(4, 4); lease.release()"
    )


SLOTS = 3


class PoolMachine(RuleBasedStateMachine):
    """Any order of calls keeps the promise: one holder's pixels are nobody else's."""

    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.pool = PinnedPool(SLOTS)
        self.holders: dict[BufferLease, int] = {}
        self.images: dict[BufferLease, tuple[np.ndarray, int]] = {}
        self.fences: list[FakeFence] = []
        self.stamp = 0

    @rule(target=leases, side=st.integers(1, 6))
    def acquire(self, side: int) -> BufferLease | None:
        lease = self.pool.acquire(0)
        if lease is None:
            assert len(self.holders) + sum(not f.done for f in self.fences) >= SLOTS
            return None
        assert len(self.holders) < SLOTS
        self.stamp = self.stamp % 255 + 1
        image = lease.allocate(side, side)
        image[:] = self.stamp
        lease.seal()
        self.holders[lease] = 1
        self.images[lease] = (image, self.stamp)
        return lease

    @rule(lease=leases)
    def retain(self, lease: BufferLease | None) -> None:
        if lease in self.holders:
            lease.retain()
            self.holders[lease] += 1
        elif lease is not None:
            with pytest.raises(PipelineError):
                lease.retain()

    @rule(lease=leases, fenced=st.booleans())
    def release(self, lease: BufferLease | None, fenced: bool) -> None:
        if lease in self.holders:
            if fenced and self.holders[lease] == 1:
                self.fences.append(FakeFence())
                lease.guard(self.fences[-1])
            lease.release()
            self.holders[lease] -= 1
            if not self.holders[lease]:
                del self.holders[lease], self.images[lease]
        elif lease is not None:
            with pytest.raises(PipelineError):
                lease.release()

    @rule(lease=consumes(leases))
    def forget(self, lease: BufferLease | None) -> None:
        """Keep the bundle small."""
        while lease in self.holders:
            self.release(lease, False)

    @rule()
    def copies_are_done(self) -> None:
        for fence in self.fences:
            fence.done = True

    @invariant()
    def held_images_are_untouched(self) -> None:
        for image, value in self.images.values():
            assert (image == value).all()


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(max_examples=25, stateful_step_count=25)
