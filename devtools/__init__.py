"""What ./dev is made of: the environment, the servers, the supervisor, the commands. Standard library only."""
