"""A sync that ended may be the one a mailing waits for. The sweep is the guarantee, this the shortcut."""
