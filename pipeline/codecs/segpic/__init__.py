"""SegPIC: region-adaptive transforms guided by coded prototypes (Liu et al., ECCV 2024)."""
