"""The history of detection in one table: every family trained alike, scored and timed together.

The entry point is ``run.write_history``; ``families.FAMILIES`` lists the systems. This part has no
network, loss or metric of its own: it calls ``training`` and ``evaluation``.
"""
