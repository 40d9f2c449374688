"""The sync engine: MemberSuite's pages -> stage -> compare -> guard -> apply -> counts. Only the pipeline knows the order."""
