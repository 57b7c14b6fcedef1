"""SEEC: lossless coding whose entropy model is told, pixel by pixel, what kind of region it is in."""
