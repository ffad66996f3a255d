"""A whole file, once: the candidates of every frame, and what any thresholds make of them.

``columns`` holds the candidates of many frames in flat arrays, and ``store`` collects them.
``selection`` selects from all frames at once, ``selector`` keeps what doesn't change, and
``lanes`` are the values of every frame of the source.
"""
