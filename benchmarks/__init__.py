"""`make bench`: this project, its peers and the limits of the machine, side by side in one run."""
