"""Pure tensor functions: mixing, losses, gradient balancing, geometry and colour."""
