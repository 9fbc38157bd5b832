"""What the figures mean: pure rules over the three ledgers, and the SQL that joins them."""
