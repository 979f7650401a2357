// Command train learns the weights by which package extract chooses the milestones of a written postmortem, or measures how
// well they do on organisations that they were not learned from.
//
// The documents are those of the reader's own tests and those of the folders that are named, each with its truth beside it.
// What a document's organisation alone bears out in the lexicons is left out when it is read, because the lexicons were
// written from these documents; folders after -fresh hold documents that they were not written from. The same documents give
// the same bytes.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
)

// groups is how many groups of organisations are left out in turn.
const groups = 20

func main() {
	measure := flag.Bool("measure", false, "only measure, each organisation by weights learned without it")
	verbose := flag.Bool("v", false, "print every milestone that differs")
	fresh := flag.String("fresh", "", "folders, separated by commas, of documents that the lexicons were not written from")
	out := flag.String("o", "postmortem/extract/weights.tsv", "the file of weights to write")
	own := flag.String("own", "postmortem/testdata/docs", "the reader's own documents")
	without := flag.String("without", "", "leave out features that begin with one of these, separated by commas")
	flag.Parse()
	if err := run(*own, flag.Args(), split(*fresh), split(*without), *out, *measure, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func run(own string, dirs, fresh, without []string, out string, measure, verbose bool) error {
	docs, err := documents(own, dirs, fresh)
	if err != nil {
		return err
	}
	set, err := readAll(docs, without)
	if err != nil {
		return err
	}
	preds := set.leaveOut(groups)
	sure := set.calibrateOut(preds, groups)
	report(os.Stdout, surest(preds, sure), sure, verbose)
	if measure {
		return nil
	}
	w := set.learn(func(string) bool { return true }).weights(calibrate(preds))
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes\n", out, b.Len())
	return os.WriteFile(out, b.Bytes(), 0o644)
}
