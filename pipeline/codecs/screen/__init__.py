"""Screen: a lossless codec without weights, by context mixing over whole colours and residuals."""
