"""What objectives learn from: images, triplets, pairs or sets, each batch a pure function of its number and a seed."""
