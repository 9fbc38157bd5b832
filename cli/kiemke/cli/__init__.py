"""The command line `kiemke`: what an office does with the inventory server."""
