"""Pictures on their way to disk: pixels off the device, PNG by a fast path, written while the next job samples."""
