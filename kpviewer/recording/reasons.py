"""Reasons why a file can't be written, in words."""

import errno

from kpviewer.errors import KpviewerError


def reason_of(error: BaseException) -> str:
    """Return why a file can't be written, and what to do."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return "the disk is full. Free space or choose another folder."
    if isinstance(error, KpviewerError):
        return str(error)
    if isinstance(error, MemoryError):
        return "the memory is full. Close other programs, or choose a smaller size."
    text = error.strerror if isinstance(error, OSError) else None
    text = (text or str(error) or type(error).__name__).rstrip(".")
    return f"{text}. Choose another folder, or try again."
