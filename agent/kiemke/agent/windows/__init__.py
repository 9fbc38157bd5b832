"""What Windows tells: the doors to its registry and its devices, and the readers behind the sensors."""
