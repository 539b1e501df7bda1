"""The models that are trained. Importing this package registers each with `rnnviz.training.task`."""
