"""Pages: check the right, read, render; or hand the wish to `enqueue` and redirect. One module a page family."""
