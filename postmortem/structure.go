package postmortem

import (
	"path"
	"strings"
	"unicode/utf8"
)

// blockKind says what a piece of a document is.
type blockKind int

const (
	heading blockKind = iota
	para
	item
	row
	quote // a quotation or a chat log: evidence, never an entry
	code  // preformatted text: evidence, never an entry
)

// block is one piece of a document, in the order of the document. Its text has no markup left in it.
type block struct {
	kind  blockKind
	level int // of a heading 1 to 6, of an item its depth from 0
	line  int // of the document, from 1
	// orig is the text as written, white space collapsed; text is the same, rune for rune, with full-width ASCII and
	// typographic variants folded, which is what the scanners read.
	orig, text string
	cells      []string // of a row, in orig form
	head       bool     // a row of column names
	main       bool     // inside a page's main element
	strong     bool     // the whole paragraph is bold: often a heading in all but name
	ruled      bool     // a horizontal line stands above it
	tracked    bool     // it ends in the time of a status page's update
	links      []string // addresses it links to, which may hold evidence
	toks       []token  // filled in on first use by tokens
}

// document is a text taken apart.
type document struct {
	name   string // as given by the caller
	title  string
	front  []block // front matter as rows of key and value
	blocks []block
	cut    bool // it had more blocks than are read
}

// limits keep a hostile document from costing more than a long one.
const (
	// MaxDocument is the largest document read, in bytes. No postmortem comes near it.
	MaxDocument = 16 << 20
	maxBlock    = 16 << 10 // bytes of one block that are looked at
	maxBlocks   = 10_000   // blocks that are looked at; what a question says where there are more
)

// newBlock makes a block of text that has lost its markup.
func newBlock(kind blockKind, level, line int, text string) block {
	text = tidy(text)
	return block{kind: kind, level: level, line: line, orig: text, text: foldWidth(text)}
}

// tidy collapses white space and bounds the length, at a rune's edge.
func tidy(s string) string {
	if len(s) > maxBlock {
		i := maxBlock
		for i > 0 && !utf8.RuneStart(s[i]) {
			i--
		}
		s = s[:i]
	}
	return strings.Join(strings.Fields(s), " ")
}

// parse takes a document apart, by what its name and its beginning say it is.
func parse(name string, body []byte) document {
	text := decode(body)
	d := document{name: name}
	switch ext := strings.ToLower(path.Ext(name)); {
	case ext == ".html" || ext == ".htm" || ext == ".xhtml" || looksLikeHTML(text):
		d.blocks, d.title = htmlBlocks(text, 1)
		d.blocks = mainText(d.blocks)
	default:
		d.front, d.blocks = plainBlocks(text)
	}
	if len(d.blocks) > maxBlocks {
		d.blocks, d.cut = d.blocks[:maxBlocks], true
	}
	if d.title == "" {
		d.title = d.findTitle()
	}
	return d
}

func looksLikeHTML(s string) bool {
	head := strings.ToLower(strings.TrimSpace(s[:min(len(s), 512)]))
	return strings.HasPrefix(head, "<!doctype html") || strings.HasPrefix(head, "<html")
}

// findTitle is the front matter's title, else the first top heading, else the first heading, else the first line.
func (d *document) findTitle() string {
	for _, b := range d.front {
		if len(b.cells) == 2 && strings.EqualFold(b.cells[0], "title") && b.cells[1] != "" {
			return b.cells[1]
		}
	}
	first := ""
	for i := range d.blocks {
		b := &d.blocks[i]
		if b.kind == heading && b.level == 1 {
			return b.orig
		}
		if first == "" && b.kind == heading {
			first = b.orig
		}
	}
	if len(d.blocks) > 0 && (first == "" || d.blocks[0].kind == para && len(d.blocks[0].orig) < 150) {
		for i := range d.blocks[:min(len(d.blocks), 8)] {
			// A page's first lines may be its menu; its title is the first that is long enough to be one.
			if b := &d.blocks[i]; (b.kind == para || b.kind == heading) && utf8.RuneCountInString(b.orig) >= 12 {
				return b.orig
			}
		}
		if first == "" {
			return d.blocks[0].orig
		}
	}
	return first
}

// quoteText is text as it may enter a record: at most n characters, and nothing in it that a browser would take for markup.
func quoteText(s string, n int) string {
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
