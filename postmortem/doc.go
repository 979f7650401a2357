// Package postmortem turns a written postmortem into incident records, with the evidence for every milestone and an
// honest list of what the text leaves open. It is deterministic: same text, same name, same options, same answer.
//
// A record that is silent is better than one that is wrong. So a milestone is given only where the text says it, and
// everything that merely might be one becomes a question with its candidates.
//
// The steps, each in its own file:
//
//	charset, structure, plain, html   bytes -> blocks: headings, paragraphs, list items, table rows
//	lexicon, pattern, language        what a language calls things, as data
//	times, dates, zones               time expressions in a text
//	entries, place                    timeline entries and the moment each happened
//	kinds, tells, suppliers           what each entry tells: an alert, a report, a cause, a recovery …
//	sort                              whether it is a drill, planned work, or no report at all
//	fields, durations, windows        what the document says about itself: labelled fields, durations, impact windows
//	split                             one document, several incidents
//	milestones, started, identified,
//	ending                            what the rules take for the milestones
//	candidates, choose, extract/      every moment that may be one, and the choice of all six by weights that were learned
//	questions, record                 what stays open, and the record
//	vocabulary                        the lexicons without what only one organisation bears out, to measure by
//	answers, render                   a person's answers, and the forms it is printed in
//
// A language is a file below lexicon/: adding one touches no code.
package postmortem
