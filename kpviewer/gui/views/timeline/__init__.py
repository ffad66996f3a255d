"""Timeline: play, seek, marks, and lanes of what a model found over the whole source."""
