"""Pages of CTAs, tasks and playbooks."""
