// Package postmortem turns a written postmortem into incident records, with the evidence for every milestone and an
// honest list of what the text leaves open. It is deterministic: same text, same name, same options, same answer.
//
// A record that is silent is better than one that is wrong. So a milestone is given only where the text says it, and
// everything that merely might be one becomes a question with its candidates.
//
// The steps, each a package that knows only those before it:
//
//	lexicon      what a language calls things, as data; the words of a text and how phrases are found in them
//	document     bytes -> blocks: headings, paragraphs, list items, table rows; the language
//	timex        time expressions in a text: dates, clocks, zones, ranges, durations
//	timeline     entries, sections, labelled fields, updates of a status page, tables of incidents
//	calendar     the day and the zone of every entry, windows of impact
//	events       what each entry tells; drill, planned work or no report; one document, several incidents
//	extract      the choice of all six milestones by weights that were learned
//	milestones   what rules take for the milestones, every moment that may be one, what stays open, the record
//
// Here the steps are put together, answers of people are applied, and the result is printed.
//
// A language is a file in lexicon/: adding one touches no code.
package postmortem
