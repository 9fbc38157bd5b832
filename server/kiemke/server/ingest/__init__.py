"""From the wire to the tables: decode, place in time, apply in one transaction, acknowledge."""
