"""The page *Tagger*: a model that learns to give each word its tag, live."""
