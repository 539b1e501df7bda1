"""What the training pages share: the tab's runs, the transport over epochs, rewinding, saving."""
