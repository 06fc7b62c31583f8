"""Real parts for the tests: servers, browsers, publications."""
