"""Functional network builders; images are NHWC float32 in [-1, 1], latents are L2-normalised float32."""
