"""Run, rerun and history: which command made what, from which inputs."""
