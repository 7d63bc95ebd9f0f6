"""What students are given: assignments, and chapters without their solutions."""
