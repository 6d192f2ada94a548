"""A shop's help desk: tools over a small database, a policy, a customer who follows a script."""
