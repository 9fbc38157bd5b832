"""Load and life for kiemke: a fleet simulator, the demo district, side-by-side figures."""
