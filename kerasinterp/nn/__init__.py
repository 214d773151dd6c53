"""Functional network builders; images are NHWC float32 in [-1, 1], latents float32, vectors or maps."""
