"""Neo4j: which files a database is imported from, and whether ``neo4j-admin`` will take them."""
