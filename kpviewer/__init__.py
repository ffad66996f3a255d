"""kpviewer: point it at a camera or a video and see, live, what a detection model sees.

Importing this package loads neither torch nor Qt; import the parts that you need,
for instance ``from kpviewer.pipeline.pipeline import Pipeline``.
"""

__version__ = "0.1.0"
