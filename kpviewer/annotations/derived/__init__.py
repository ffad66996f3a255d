"""What follows from a data set that is read: aligned classes, label sets."""
