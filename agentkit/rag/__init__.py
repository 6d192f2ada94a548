"""Documents: read, cut, embed, index, retrieve, show to a model and cite."""
