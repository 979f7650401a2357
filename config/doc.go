// Package config reads Meantime's configuration: one YAML file, with every key also an environment variable, and with
// defaults for all of it. Load reads the file into Config, a tree of structs of the file's own form; Validate checks it
// and makes Validated, which is what the program works with. Both report every mistake at once, each with its file, its
// line, its key and what would be right.
//
// Secrets are never in the file itself: a key that ends in _file names the file they are in. What is read from there
// is a Secret, which does not print.
package config
