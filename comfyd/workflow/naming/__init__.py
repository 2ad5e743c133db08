"""What people call the values of a graph, and which inputs they mean by it."""
