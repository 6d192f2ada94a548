"""A vending business over hundreds of days, with an exact ledger."""
