"""What says where the project lives and on what its results were made."""
