package sqlstore

// failpoint is called between the steps that the program takes by itself on the file system, outside of SQLite, with the name of
// the step that was taken. The tests of kills stop the process there; nobody else sets it, and it does nothing.
var failpoint = func(step string) {}
