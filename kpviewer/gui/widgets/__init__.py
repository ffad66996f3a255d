"""Controls, plots, icons and colours, independent of frames and models."""
