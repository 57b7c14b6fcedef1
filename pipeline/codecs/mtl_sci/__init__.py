"""MTL-SCI: one latent, decoded to the picture and, in training, to its synthetic/natural segmentation."""
