"""The leader's recurring work: the lease, the loop, the table of jobs."""
