"""Embeddings: tables of vectors looked up, trained, summed in bags, or loaded from a file."""
