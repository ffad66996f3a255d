"""Post-processing of data sets after reading, and their comparison with the images."""
