"""Who somebody is: tokens, and the keys that prove them."""
