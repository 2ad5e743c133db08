"""The resident process: owns socket, queue, journal and worker; imports neither torch nor comfyd.worker."""
