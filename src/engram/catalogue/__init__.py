"""The lab's relational catalogue, on SQLite, PostgreSQL or MariaDB; the only room that speaks SQL to it."""
