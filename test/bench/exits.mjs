// A release whose program ends at once.
process.exit(1);
