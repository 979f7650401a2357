// Package document takes the bytes of a written document apart: its character set, then blocks of Markdown, HTML or plain text
// (headings, paragraphs, list items, table rows, quotations, code), and the language they are in.
package document

import (
	"path"
	"strings"
	"unicode/utf8"

	"meantime/postmortem/lexicon"
)

// blockKind says what a piece of a document is.
type blockKind int

const (
	Heading blockKind = iota
	Para
	Item
	Row
	Quote // a quotation or a chat log: evidence, never an entry
	Code  // preformatted text: evidence, never an entry
)

// Block is one piece of a document, in the order of the document. Its text has no markup left in it.
type Block struct {
	Kind  blockKind
	Level int // of a heading 1 to 6, of an item its depth from 0
	Line  int // of the document, from 1
	// orig is the text as written, white space collapsed; text is the same, rune for rune, with full-width ASCII and
	// typographic variants folded, which is what the scanners read.
	Orig, Text string
	Cells      []string        // of a row, in orig form
	Head       bool            // a row of column names
	main       bool            // inside a page's main element
	Strong     bool            // the whole paragraph is bold: often a heading in all but name
	Ruled      bool            // a horizontal line stands above it
	Tracked    bool            // it ends in the time of a status page's update
	links      []string        // addresses it links to, which may hold evidence
	Toks       []lexicon.Token // filled in on first use by tokens
}

// Document is a text taken apart.
type Document struct {
	Name   string // as given by the caller
	Title  string
	Front  []Block // front matter as rows of key and value
	Blocks []Block
	Cut    bool // it had more blocks than are read
}

// limits keep a hostile document from costing more than a long one.
const (
	// MaxDocument is the largest document read, in bytes. No postmortem comes near it.
	MaxDocument = 16 << 20
	MaxBlock    = 16 << 10 // bytes of one block that are looked at
	MaxBlocks   = 10_000   // blocks that are looked at; what a question says where there are more
)

// newBlock makes a block of text that has lost its markup.
func newBlock(kind blockKind, level, line int, text string) Block {
	text = tidy(text)
	return Block{Kind: kind, Level: level, Line: line, Orig: text, Text: lexicon.FoldWidth(text)}
}

// tidy collapses white space and bounds the length, at a rune's edge.
func tidy(s string) string {
	if len(s) > MaxBlock {
		i := MaxBlock
		for i > 0 && !utf8.RuneStart(s[i]) {
			i--
		}
		s = s[:i]
	}
	return strings.Join(strings.Fields(s), " ")
}

// Parse takes a document apart, by what its name and its beginning say it is.
func Parse(name string, body []byte) Document {
	text := decode(body)
	d := Document{Name: name}
	switch ext := strings.ToLower(path.Ext(name)); {
	case ext == ".html" || ext == ".htm" || ext == ".xhtml" || looksLikeHTML(text):
		d.Blocks, d.Title = htmlBlocks(text, 1)
		d.Blocks = mainText(d.Blocks)
	default:
		d.Front, d.Blocks = plainBlocks(text)
	}
	if len(d.Blocks) > MaxBlocks {
		d.Blocks, d.Cut = d.Blocks[:MaxBlocks], true
	}
	if d.Title == "" {
		d.Title = d.findTitle()
	}
	return d
}

func looksLikeHTML(s string) bool {
	head := strings.ToLower(strings.TrimSpace(s[:min(len(s), 512)]))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
}

// findTitle is the front matter's title, else the first top heading, else the first heading, else the first line.
func (d *Document) findTitle() string {
	for _, b := range d.Front {
		if len(b.Cells) == 2 && strings.EqualFold(b.Cells[0], "title") && b.Cells[1] != "" {
			return b.Cells[1]
		}
	}
	first := ""
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if b.Kind == Heading && b.Level == 1 {
			return b.Orig
		}
		if first == "" && b.Kind == Heading {
			first = b.Orig
		}
	}
	if len(d.Blocks) > 0 && (first == "" || d.Blocks[0].Kind == Para && len(d.Blocks[0].Orig) < 150) {
		for i := range d.Blocks[:min(len(d.Blocks), 8)] {
			// A page's first lines may be its menu; its title is the first that is long enough to be one.
			if b := &d.Blocks[i]; (b.Kind == Para || b.Kind == Heading) && utf8.RuneCountInString(b.Orig) >= 12 {
				return b.Orig
			}
		}
		if first == "" {
			return d.Blocks[0].Orig
		}
	}
	return first
}

// QuoteText is text as it may enter a record: at most n characters, and nothing in it that a browser would take for markup.
func QuoteText(s string, n int) string {
	s = strings.TrimSpace(s)
	var b strings.Builder
	count := 0
	for i, r := range s {
		if count == n-1 && i+utf8.RuneLen(r) < len(s) {
			b.WriteRune('…')
			break
		}
		count++
		if r == '<' && i+1 < len(s) {
			if c := s[i+1]; c == '/' || c == '!' || c == '?' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
				r = '‹'
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}
