"""The files of a neuPrint database: nodes and edges as CSV for neo4j-admin, and the tables that they are made from."""
