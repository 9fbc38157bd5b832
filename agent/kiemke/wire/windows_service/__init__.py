"""What Windows' service manager wants of a program: entry, access to its folder, start and stop."""
