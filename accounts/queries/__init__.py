"""Wide reads of the account record; each says how many queries it takes."""
