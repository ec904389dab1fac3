"""Reference data: the slowly changing facts that rules look up, all of them effective-dated and event-sourced."""
