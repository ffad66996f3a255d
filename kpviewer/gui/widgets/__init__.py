"""Controls, plots, icons and colours that know nothing of frames and models."""
