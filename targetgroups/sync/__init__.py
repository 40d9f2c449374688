"""The sync engine: pages -> stage -> compare -> guard -> apply -> counts. Only the pipeline knows the order."""
