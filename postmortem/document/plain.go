package document

import (
	"slices"
	"strings"
	"unicode/utf8"

	"meantime/postmortem/lexicon"
)

// plainBlocks reads plain text and Markdown alike, line by line: most postmortems are something between the two, and a
// page pasted as text keeps its bullets but not its marks. One pass over the lines.
func plainBlocks(s string) (front, blocks []Block) {
	lines := strings.Split(s, "\n")
	p := plainReader{lines: lines, bare: BareTimes(slices.Values(lines))}
	p.front()
	for p.i < len(lines) {
		p.line()
	}
	p.flush()
	return p.fronts, p.blocks
}

type plainReader struct {
	lines  []string
	i      int // the next line
	fronts []Block
	blocks []Block

	// the paragraph or item being collected
	text  strings.Builder
	kind  blockKind
	level int
	at    int
	open  bool

	bare   bool // lines begin with times such as 0937
	table  bool // inside a table
	blank  bool // the line before was empty
	inItem bool
	ruled  bool // a horizontal line was read, and nothing since
}

// front reads front matter: YAML between ---, TOML between +++.
func (p *plainReader) front() {
	i := 0
	for i < len(p.lines) && strings.TrimSpace(p.lines[i]) == "" {
		i++
	}
	if i == len(p.lines) {
		return
	}
	mark := strings.TrimSpace(p.lines[i])
	if mark != "---" && mark != "+++" {
		return
	}
	sep := ":"
	if mark == "+++" {
		sep = "="
	}
	var found []Block
	for j := i + 1; j < len(p.lines) && j < i+200; j++ {
		l := strings.TrimSpace(p.lines[j])
		if l == mark {
			p.fronts, p.i = found, j+1
			return
		}
		if v, ok := strings.CutPrefix(l, "- "); ok && len(found) > 0 { // one of a list
			last := &found[len(found)-1]
			v = strings.Trim(strings.TrimSpace(v), `"'`)
			if last.Cells[1] != "" {
				v = last.Cells[1] + ", " + v
			}
			b := newBlock(Row, 0, last.Line, v)
			b.Cells = []string{last.Cells[0], b.Orig}
			*last = b
			continue
		}
		if k, v, ok := strings.Cut(l, sep); ok && !strings.HasPrefix(l, "#") && !strings.HasPrefix(l, "-") {
			v = strings.Trim(strings.TrimSpace(v), `"'`)
			if inner, ok := strings.CutPrefix(v, "["); ok && strings.HasSuffix(inner, "]") { // a list in one line
				v = strings.NewReplacer(`"`, "", "'", "").Replace(strings.TrimSuffix(inner, "]"))
			}
			b := newBlock(Row, 0, j+1, v)
			b.Cells = []string{strings.ToLower(strings.TrimSpace(k)), b.Orig}
			found = append(found, b)
		}
	}
}

// flush ends the block being collected.
func (p *plainReader) flush() {
	if !p.open {
		return
	}
	p.open = false
	raw := p.text.String()
	p.text.Reset()
	strong := p.kind == Para && len(raw) > 4 && (strings.HasPrefix(raw, "**") && strings.HasSuffix(raw, "**") ||
		strings.HasPrefix(raw, "__") && strings.HasSuffix(raw, "__"))
	p.add(p.kind, p.level, p.at, raw, strong)
}

func (p *plainReader) add(kind blockKind, level, line int, raw string, strong bool) {
	raw = raw[:lexicon.CutAt(raw, 2*MaxBlock)] // before its marks are looked for, so that a line of nothing else costs no more
	text, links := raw, []string(nil)
	if kind != Code {
		text, links = stripInline(raw)
	}
	b := newBlock(kind, level, line, text)
	b.links, b.Strong, b.Tracked = links, strong, strings.Contains(raw, "{{< track ")
	if b.Text != "" {
		b.Ruled, p.ruled = p.ruled, false
		p.blocks = append(p.blocks, b)
	}
}

// line reads the next line, or the several that belong together.
func (p *plainReader) line() {
	raw := p.lines[p.i]
	t := strings.TrimSpace(raw)
	indent := indentOf(raw)
	defer func() { p.blank = t == "" }()
	isTable := strings.HasPrefix(t, "|") && strings.Count(t, "|") >= 2
	if !isTable {
		p.table = false
	}
	switch {
	case t == "":
		p.flush()
		p.i++
	case strings.HasPrefix(t, "```") || strings.HasPrefix(t, "~~~"):
		p.flush()
		p.fence(t)
	case strings.HasPrefix(t, "<!--"):
		p.flush()
		for p.i < len(p.lines) && !strings.Contains(p.lines[p.i], "-->") {
			p.i++
		}
		p.i++
	case rawHTML(t):
		p.flush()
		p.html(t)
	case indent >= 4 && p.blank && !p.inItem && !p.open && bullet(t) == 0:
		p.flush()
		p.add(Code, 0, p.i+1, raw, false)
		p.i++
	case isDiff(raw):
		p.flush()
		p.diff()
	case strings.HasPrefix(t, ">"):
		p.flush()
		p.quote()
	case atxLevel(t) > 0:
		p.flush()
		n := atxLevel(t)
		p.inItem = false
		p.add(Heading, n, p.i+1, strings.TrimSpace(strings.TrimRight(strings.TrimSpace(t[n:]), "#")), false)
		p.i++
	case isTable:
		p.flush()
		p.row(t)
	case p.open && p.kind == Para && isRule(t) && (t[0] == '=' || t[0] == '-'):
		// a heading underlined
		p.kind, p.level = Heading, 1
		if t[0] == '-' {
			p.level = 2
		}
		p.flush()
		p.inItem = false
		p.i++
	case isRule(t):
		p.flush()
		p.ruled = true
		p.i++
	case wikiLevel(t) > 0:
		p.flush()
		p.add(Heading, wikiLevel(t), p.i+1, strings.Trim(t, "= "), false)
		p.i++
	case bullet(t) > 0:
		p.flush()
		p.begin(Item, indent/2, t[bullet(t):])
		p.inItem = true
	default:
		// A line of plain text is a paragraph of its own unless it plainly goes on: in Markdown text wraps, in text
		// copied from a page every line is a paragraph.
		if p.open && p.continues(t, indent) {
			p.text.WriteByte(' ')
			p.text.WriteString(t)
			p.i++
			return
		}
		p.flush()
		if indent == 0 {
			p.inItem = false
		}
		p.begin(Para, 0, t)
	}
}

func (p *plainReader) begin(kind blockKind, level int, t string) {
	p.kind, p.level, p.at, p.open = kind, level, p.i+1, true
	p.text.WriteString(strings.TrimSpace(t))
	p.i++
}

// continues says whether t goes on with the block that is open. Wrapped text has lines of much the same length that do
// not end a sentence, or go on in lower case; a line that begins with a time, or follows a short one, begins anew.
func (p *plainReader) continues(t string, indent int) bool {
	if p.blank {
		return false
	}
	if p.text.Len() >= MaxBlock {
		return true
	}
	prev := strings.TrimSpace(p.lines[p.i-1])
	if LeadsWithTime(t) || p.bare && IsBare(t, len(t)-len(strings.TrimLeft(t, "*[(_~` "))) || labelled(t) &&
		(labelled(prev) || labelled(p.text.String())) {
		return false
	}
	if p.kind == Item && indent > 0 {
		return true
	}
	if strings.HasPrefix(t, "**") && strings.HasPrefix(prev, "**") {
		return false // a list of labels in bold
	}
	last, _ := utf8.DecodeLastRuneInString(prev)
	first, _ := utf8.DecodeRuneInString(t)
	lower := first >= 'a' && first <= 'z' || first == '(' || first == ','
	ends := strings.ContainsRune(".!?:。！？：", last)
	if strings.HasSuffix(p.lines[p.i-1], "  ") {
		return false // Markdown's hard break
	}
	switch {
	case ends && !lower && len(t) < 60 && hasClock(t):
		return false // "Posted Aug 15, 2024 - 11:30 UTC"
	case len(prev) < 45 && !lower:
		return false
	case ends && len(prev) > 140:
		return false // one paragraph to a line
	case ends && !lower && last == ':':
		return false
	}
	return len(prev) <= 140 || lower && !ends
}

// hasClock is a cheap test for a clock time anywhere in a line.
func hasClock(t string) bool {
	for i := 1; i+2 < len(t); i++ {
		if t[i] == ':' && lexicon.IsDigit(t[i-1]) && lexicon.IsDigit(t[i+1]) && lexicon.IsDigit(t[i+2]) {
			return true
		}
	}
	return false
}

// labelled says whether a line looks like "Label: value".
func labelled(t string) bool {
	label, _, ok := lexicon.CutLabel(t)
	return ok && len(label) <= 45 && len(label) > 1 && len(strings.Fields(label)) <= 6 && !strings.ContainsAny(label, ".,;") &&
		(label[0] >= 'A' && label[0] <= 'Z' || label[0] >= 0x80 || label[0] == '*')
}

// fence reads a fenced block as code; one that never closes ends with the document.
func (p *plainReader) fence(t string) {
	mark := t[:3]
	start := p.i + 1
	p.i++
	var b strings.Builder
	for p.i < len(p.lines) {
		l := p.lines[p.i]
		p.i++
		if strings.HasPrefix(strings.TrimSpace(l), mark) {
			break
		}
		if b.Len() < MaxBlock {
			b.WriteString(l)
			b.WriteByte('\n')
		}
	}
	p.add(Code, 0, start, b.String(), false)
}

// diff reads a patch pasted into the text. It ends at an empty line followed by text that is no patch, or at a line that
// begins with a time.
func (p *plainReader) diff() {
	start := p.i + 1
	var b strings.Builder
	for p.i < len(p.lines) {
		l := p.lines[p.i]
		t := strings.TrimSpace(l)
		if LeadsWithTime(t) {
			break
		}
		if t == "" && p.i+1 < len(p.lines) {
			next := p.lines[p.i+1]
			if next != "" && next[0] != ' ' && next[0] != '+' && next[0] != '-' && next[0] != '@' && !isDiff(next) {
				break
			}
		}
		if b.Len() < MaxBlock {
			b.WriteString(l)
			b.WriteByte('\n')
		}
		p.i++
	}
	p.add(Code, 0, start, b.String(), false)
}

// isDiff says whether a line begins a patch or a commit.
func isDiff(l string) bool {
	if strings.HasPrefix(l, "diff --git ") || strings.HasPrefix(l, "@@ -") || strings.HasPrefix(l, "--- a/") {
		return true
	}
	if rest, ok := strings.CutPrefix(l, "commit "); ok && len(rest) >= 40 {
		for i := 0; i < 40; i++ {
			if !lexicon.IsDigit(rest[i]) && !(rest[i] >= 'a' && rest[i] <= 'f') {
				return false
			}
		}
		return true
	}
	return false
}

// quote reads a quotation with the lines that lazily go on with it.
func (p *plainReader) quote() {
	start := p.i + 1
	var b strings.Builder
	for p.i < len(p.lines) {
		t := strings.TrimSpace(p.lines[p.i])
		if t == "" || !strings.HasPrefix(t, ">") && (atxLevel(t) > 0 || bullet(t) > 0 || strings.HasPrefix(t, "|")) {
			break
		}
		if b.Len() < MaxBlock {
			b.WriteString(strings.TrimLeft(t, "> "))
			b.WriteByte(' ')
		}
		p.i++
	}
	p.add(Quote, 0, start, b.String(), false)
}

// row reads a line of a Markdown table. The line below the first, of dashes, makes the first the column names.
func (p *plainReader) row(t string) {
	line := p.i + 1
	p.i++
	p.inItem = false
	if strings.Trim(t, "|:- \t") == "" {
		if n := len(p.blocks); p.table && n > 0 && p.blocks[n-1].Kind == Row {
			p.blocks[n-1].Head = true
		}
		return
	}
	p.table = true
	t = strings.TrimSuffix(strings.TrimPrefix(t, "|"), "|")
	var cells []string
	var links []string
	for _, c := range splitCells(t[:lexicon.CutAt(t, 2*MaxBlock)]) {
		text, l := stripInline(c)
		cells = append(cells, tidy(text))
		links = append(links, l...)
	}
	p.blocks = append(p.blocks, rowBlock(line, cells, links))
}

func splitCells(t string) []string {
	if !strings.Contains(t, `\|`) {
		return strings.Split(t, "|")
	}
	cells := strings.Split(strings.ReplaceAll(t, `\|`, "\x00"), "|")
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "\x00", "|")
	}
	return cells
}

func rowBlock(line int, cells, links []string) Block {
	b := newBlock(Row, 0, line, strings.Join(cells, " | "))
	b.Cells, b.links = cells, links
	return b
}

// html reads a block of raw HTML inside Markdown: a table, a list or a details element up to its end.
func (p *plainReader) html(t string) {
	tag := tagName(t)
	start := p.i
	var b strings.Builder
	for p.i < len(p.lines) {
		l := p.lines[p.i]
		b.WriteString(l)
		b.WriteByte('\n')
		p.i++
		if strings.Contains(strings.ToLower(l), "</"+tag) {
			break
		}
		if tag != "table" && tag != "ul" && tag != "ol" && tag != "dl" && p.i < len(p.lines) && strings.TrimSpace(p.lines[p.i]) == "" {
			break
		}
	}
	blocks, _ := htmlBlocks(b.String(), start+1)
	p.blocks = append(p.blocks, blocks...)
}

// rawHTML says whether a line begins a block of HTML that is worth reading as such.
func rawHTML(t string) bool {
	switch tagName(t) {
	case "table", "ul", "ol", "dl", "div", "section", "h1", "h2", "h3", "h4", "h5", "h6", "p", "script", "style":
		return true
	}
	return false
}

func tagName(t string) string {
	if len(t) < 3 || t[0] != '<' {
		return ""
	}
	i := 1
	for i < len(t) && i < 12 && (lexicon.IsLetter(t[i]) || lexicon.IsDigit(t[i])) {
		i++
	}
	if i < len(t) && t[i] != '>' && t[i] != ' ' && t[i] != '/' {
		return ""
	}
	return strings.ToLower(t[1:i])
}

func indentOf(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ':
			n++
		case '\t':
			n += 4
		default:
			return n
		}
	}
	return n
}

func atxLevel(t string) int {
	n := 0
	for n < len(t) && t[n] == '#' {
		n++
	}
	if n == 0 || n > 6 || n == len(t) || t[n] != ' ' && t[n] != '\t' {
		return 0
	}
	return n
}

// wikiLevel is the level of a MediaWiki heading, "== Timeline ==".
func wikiLevel(t string) int {
	n := 0
	for n < len(t) && t[n] == '=' {
		n++
	}
	if n < 2 || n > 6 || len(t) < 2*n+1 || !strings.HasSuffix(t, t[:n]) || strings.Trim(t, "=") == "" {
		return 0
	}
	return n
}

func isRule(t string) bool {
	return len(t) >= 3 && (strings.Trim(t, "-") == "" || strings.Trim(t, "=") == "" || strings.Trim(t, "* ") == "" ||
		strings.Trim(t, "_ ") == "" || strings.Trim(t, "- ") == "" || strings.Trim(t, "—─━") == "")
}

// bullet is the length of a list item's mark with the space after it, 0 where the line is none. A number counts as a
// mark where a letter, a time or a date cannot be meant: "1. text", "1) text", "1、text".
func bullet(t string) int {
	for _, m := range []string{"- ", "* ", "+ ", "• ", "•\t", "· ", "– ", "— ", "‣ ", "▪ ", "● ", "○ ", "■ ", "◦ ", "・", "●", "・ "} {
		if strings.HasPrefix(t, m) {
			return len(m)
		}
	}
	n := 0
	for n < len(t) && n < 3 && lexicon.IsDigit(t[n]) {
		n++
	}
	if n == 0 || n > 2 || n == len(t) {
		return 0
	}
	switch {
	case strings.HasPrefix(t[n:], ") "), strings.HasPrefix(t[n:], ". ") && !monthAhead(t[n+2:]):
		return n + 2
	case strings.HasPrefix(t[n:], "、"):
		return n + len("、")
	}
	return 0
}

// monthAhead guards "19. April": a number, a full stop and then a letter-word that a lexicon calls a month.
func monthAhead(rest string) bool {
	w := rest
	if i := strings.IndexAny(rest, " ,.:"); i > 0 {
		w = rest[:i]
	}
	return lexicon.AnyMonth(lexicon.FoldWord(w))
}

// LeadsWithTime is a cheap test for a line that begins with a clock time or a date, behind brackets or bold marks.
func LeadsWithTime(t string) bool {
	t = strings.TrimLeft(t, "*[(_~` ")
	if i := strings.IndexByte(t, ' '); i >= 3 && i <= 10 && i+1 < len(t) && lexicon.IsDigit(t[i+1]) && lexicon.IsLetter(t[0]) &&
		hasClock(t[:min(len(t), 28)]) && lexicon.AnyMonth(lexicon.FoldWord(strings.TrimRight(t[:i], ".,"))) {
		return true // "Oct 28 13:37 - …"
	}
	d := 0
	for d < len(t) && d < 5 && lexicon.IsDigit(t[d]) {
		d++
	}
	if d == 0 || d == len(t) {
		return false
	}
	rest := t[d:]
	if len(rest) < 3 {
		return strings.HasPrefix(rest, "h")
	}
	switch {
	case d <= 2 && (rest[0] == ':' || rest[0] == '.' || rest[0] == 'h' || rest[0] == '/' || rest[0] == '-') && lexicon.IsDigit(rest[1]):
		return true
	case d == 4 && (rest[0] == '-' || rest[0] == '/' || rest[0] == '.') && lexicon.IsDigit(rest[1]):
		return true
	}
	for _, w := range []string{"年", "月", "日", "時", "时", "点", "："} {
		if strings.HasPrefix(rest, w) {
			return true
		}
	}
	low := strings.ToLower(rest[:min(len(rest), 3)])
	return d <= 2 && (strings.HasPrefix(strings.TrimSpace(low), "am") || strings.HasPrefix(strings.TrimSpace(low), "pm"))
}
