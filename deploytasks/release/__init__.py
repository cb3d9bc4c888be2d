"""What a release is made of: its version and commit from git, and an archive whose digest anyone can make again."""
