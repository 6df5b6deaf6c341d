"""Who may do how much, from where: limits, places, addresses, origins, and what is refused."""
