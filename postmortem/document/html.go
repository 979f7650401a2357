package document

import (
	"strings"

	"golang.org/x/net/html"
)

// htmlBlocks reads HTML from a stream of tokens, without building a tree: what is nested ten thousand deep costs no more
// than what is flat. line is the number of its first line. The title is the page's.
func htmlBlocks(s string, line int) (blocks []Block, title string) {
	h := htmlReader{line: line}
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(1 << 20)
	for {
		tt := z.Next()
		if tt == html.ErrorToken {
			break
		}
		raw := z.Raw()
		lines := strings.Count(string(raw), "\n")
		switch tt {
		case html.TextToken:
			h.text(z.Token().Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			h.start(z.Token(), tt == html.SelfClosingTagToken)
		case html.EndTagToken:
			h.end(z.Token().Data)
		}
		h.line += lines
	}
	h.flush()
	return h.blocks, tidy(h.title.String())
}

type htmlReader struct {
	line   int
	blocks []Block
	title  strings.Builder

	text_  strings.Builder
	at     int
	kind   blockKind
	level  int
	links  []string
	cells  []string
	inRow  bool
	inCell bool
	head   bool

	inTitle bool
	pre     int
	quoted  int
	lists   int
	// skip counts open elements whose content is site furniture; skipTag is the outermost.
	skip    int
	skipTag string
	main    int // open main or article elements
	mainTag string
}

// furniture are the elements that never hold the text of a page.
var furniture = map[string]bool{"script": true, "style": true, "nav": true, "footer": true, "aside": true, "form": true, "button": true,
	"select":   true,
	"template": true, "noscript": true, "svg": true, "iframe": true, "object": true, "dialog": true, "textarea": true}

// furnitureNames are words in class and id that sites give to what surrounds the text.
var furnitureNames = []string{"comment", "sidebar", "related", "share", "social", "cookie", "breadcrumb", "menu", "navbar", "newsletter",
	"subscribe", "advert", "promo", "footer", "pagination", "recommend"}

func (h *htmlReader) start(t html.Token, self bool) {
	tag := t.Data
	if h.skip > 0 {
		if tag == h.skipTag && !self {
			h.skip++
		}
		return
	}
	if tag == "br" || tag == "hr" {
		if h.pre > 0 || h.inCell {
			h.text_.WriteByte('\n')
		} else {
			h.flush()
		}
		return
	}
	if self || tag == "img" || tag == "input" || tag == "meta" || tag == "link" {
		return
	}
	if furniture[tag] || (tag == "div" || tag == "section" || tag == "ul" || tag == "ol") && h.isFurniture(t) || hidden(t) {
		h.flush()
		h.skip, h.skipTag = 1, tag
		return
	}
	switch tag {
	case "title":
		h.inTitle = true
	case "main", "article":
		h.flush()
		if h.main == 0 {
			h.mainTag = tag
		}
		if tag == h.mainTag {
			h.main++
		}
	case "h1", "h2", "h3", "h4", "h5", "h6":
		h.flush()
		h.kind, h.level = Heading, int(tag[1]-'0')
	case "dd":
		// The term and what is said of it belong together: "<dt>18:44<dd>Router A stops".
		if h.kind == Item && strings.TrimSpace(h.text_.String()) != "" {
			h.text_.WriteByte(' ')
			break
		}
		h.flush()
		h.kind, h.level = Item, max(0, h.lists-1)
	case "li", "dt":
		h.flush()
		h.kind, h.level = Item, max(0, h.lists-1)
	case "ul", "ol", "dl":
		h.flush()
		h.lists++
	case "tr":
		h.flush()
		h.inRow, h.cells, h.head, h.at = true, nil, true, h.line
	case "td", "th":
		if h.inRow {
			h.endCell()
			h.inCell = true
			h.head = h.head && tag == "th"
		}
	case "pre":
		h.flush()
		h.kind, h.pre = Code, h.pre+1
	case "blockquote":
		h.flush()
		h.quoted++
	case "p", "div", "section", "header", "table", "body", "details", "summary", "figure", "figcaption", "time", "small":
		if tag == "time" || tag == "small" {
			h.text_.WriteByte(' ')
		} else if !h.inCell {
			k, l := h.kind, h.level
			pending := strings.TrimSpace(h.text_.String()) != ""
			h.flush()
			if tag == "p" && !pending && k == Item { // <li><p>text
				h.kind, h.level = k, l
			}
		} else {
			h.text_.WriteByte(' ')
		}
	case "a":
		for _, a := range t.Attr {
			if a.Key == "href" && len(a.Val) < 2048 && len(h.links) < 20 {
				h.links = append(h.links, a.Val)
			}
		}
	}
}

func hidden(t html.Token) bool {
	for _, a := range t.Attr {
		if a.Key == "hidden" || a.Key == "aria-hidden" && a.Val == "true" {
			return true
		}
	}
	return false
}

func (h *htmlReader) isFurniture(t html.Token) bool {
	for _, a := range t.Attr {
		if a.Key != "class" && a.Key != "id" && a.Key != "role" {
			continue
		}
		v := strings.ToLower(a.Val)
		if len(v) > 512 {
			v = v[:512]
		}
		for _, w := range strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == '-' || r == '_' }) {
			w = strings.TrimSuffix(w, "s")
			for _, n := range furnitureNames {
				if w == n {
					return true
				}
			}
		}
	}
	return false
}

func (h *htmlReader) end(tag string) {
	if h.skip > 0 {
		if tag == h.skipTag {
			h.skip--
		}
		return
	}
	switch tag {
	case "title":
		h.inTitle = false
	case "main", "article":
		h.flush()
		if tag == h.mainTag && h.main > 0 {
			h.main--
		}
	case "ul", "ol", "dl":
		h.flush()
		h.lists = max(0, h.lists-1)
	case "td", "th":
		h.endCell()
	case "tr", "table":
		h.endRow()
	case "pre":
		h.flush()
		h.pre = max(0, h.pre-1)
	case "blockquote":
		h.flush()
		h.quoted = max(0, h.quoted-1)
	case "h1", "h2", "h3", "h4", "h5", "h6", "li", "dd", "p", "div", "section", "header", "body", "details", "summary", "figcaption":
		if !h.inCell {
			h.flush()
		}
	}
}

func (h *htmlReader) text(s string) {
	switch {
	case h.skip > 0:
	case h.inTitle:
		if h.title.Len() < 1024 {
			h.title.WriteString(s)
		}
	case h.inRow && !h.inCell:
	default:
		if h.text_.Len() == 0 {
			trimmed := strings.TrimLeft(s, " \t\n")
			if trimmed == "" {
				return
			}
			if !h.inRow {
				h.at = h.line + strings.Count(s[:len(s)-len(trimmed)], "\n")
			}
		}
		if h.text_.Len() < MaxBlock {
			h.text_.WriteString(s)
		}
	}
}

func (h *htmlReader) endCell() {
	if h.inRow && h.inCell {
		h.cells = append(h.cells, tidy(h.text_.String()))
		h.text_.Reset()
		h.inCell = false
	}
}

func (h *htmlReader) endRow() {
	h.endCell()
	if h.inRow && len(h.cells) > 0 && strings.Join(h.cells, "") != "" && len(h.cells) <= 64 {
		b := rowBlock(h.at, h.cells, h.links)
		b.Head = h.head
		h.push(b)
	}
	h.inRow, h.cells, h.links = false, nil, nil
	h.text_.Reset()
}

func (h *htmlReader) flush() {
	if h.inCell {
		return
	}
	kind := h.kind
	if h.pre > 0 {
		kind = Code
	} else if h.quoted > 0 {
		kind = Quote
	}
	b := newBlock(kind, h.level, h.at, h.text_.String())
	b.links = h.links
	h.text_.Reset()
	h.links, h.kind, h.level = nil, Para, 0
	if b.Text != "" {
		h.push(b)
	}
}

func (h *htmlReader) push(b Block) {
	b.main = h.main > 0
	h.blocks = append(h.blocks, b)
}

// mainText keeps what stands inside main or article where that is a good part of the page, and else everything.
func mainText(blocks []Block) []Block {
	var in []Block
	inside, all := 0, 0
	for i := range blocks {
		all += len(blocks[i].Text)
		if blocks[i].main {
			inside += len(blocks[i].Text)
			in = append(in, blocks[i])
		}
	}
	if inside*5 >= all*2 {
		return in
	}
	return blocks
}
