"""Which agent and which step made a run fail: what the log shows, how suspicious that is, and what a judge says."""
