"""Where a workflow comes from, and the store of named ones: from a name, a file or a stream to a Document."""
