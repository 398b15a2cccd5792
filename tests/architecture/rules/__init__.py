"""The house rules as functions: sources → breaches, one line each; the tests above this folder apply them."""
