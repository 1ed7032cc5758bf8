"""What keeps a child inside its grant: Landlock, bubblewrap, and an environment that leads nowhere else."""
