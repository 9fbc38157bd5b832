"""Schema migrations, in order; applied only by ``kiemke-server migrate``."""
