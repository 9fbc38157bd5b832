"""What is put on PCs: the Debian package, the Windows installer, and what both are made of."""
