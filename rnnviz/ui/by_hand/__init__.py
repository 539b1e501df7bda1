"""The page *By hand*."""
