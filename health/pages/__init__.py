"""The book of business as pages: accounts list, portfolio and account 360."""
