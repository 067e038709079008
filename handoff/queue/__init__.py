"""Citizens who wait for a person, and the people who take them: pure core, thin service."""
