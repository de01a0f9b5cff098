"""From what the halves found to one result: columns, policy, levels, result."""
