package document

import (
	"html"
	"strings"

	"meantime/postmortem/lexicon"
)

// stripInline takes the marks of Markdown and HTML out of a line of text and collects the addresses it links to. One
// pass; what does not close is taken as text.
func stripInline(s string) (text string, links []string) {
	if !strings.ContainsAny(s, "*_`[]<>&\\{|") {
		if strings.Contains(s, "://") {
			links = bareLinks(s)
		}
		return s, links
	}
	var b strings.Builder
	b.Grow(len(s))
	open := 0 // brackets of links whose text is being written
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && strings.IndexByte("\\`*_{}[]()#+-.!|<>~", s[i+1]) >= 0:
			b.WriteByte(s[i+1])
			i += 2
		case c == '`':
			for i < len(s) && s[i] == '`' {
				i++
			}
		case c == '*' || c == '~' && i+1 < len(s) && s[i+1] == '~':
			if c == '~' || i+1 < len(s) && s[i+1] == '*' {
				i++
			} else if i > 0 && i+1 < len(s) && s[i-1] == ' ' && s[i+1] == ' ' {
				b.WriteByte('*') // a multiplication sign
			}
			i++
		case c == '_':
			if i == 0 || i+1 == len(s) || !lexicon.IsWord(s[i-1]) || !lexicon.IsWord(s[i+1]) {
				if i+1 < len(s) && s[i+1] == '_' {
					i++
				}
			} else {
				b.WriteByte('_')
			}
			i++
		case c == '!' && i+1 < len(s) && s[i+1] == '[':
			i++ // an image is read like a link: its description stays
		case c == '[':
			if j := strings.IndexByte(s[i:], ']'); j > 0 && i+j+1 < len(s) && (s[i+j+1] == '(' || s[i+j+1] == '[') {
				open++
			} else {
				b.WriteByte('[')
			}
			i++
		case c == ']' && open > 0 && i+1 < len(s) && (s[i+1] == '(' || s[i+1] == '['):
			open--
			end := closing(s, i+1)
			if end < 0 {
				i++
				break
			}
			links = append(links, strings.Fields(s[i+2:end]+" ")...)
			i = end + 1
		case c == '<':
			end := strings.IndexByte(s[i:min(len(s), i+2048)], '>')
			if end < 0 {
				b.WriteByte('<')
				i++
				break
			}
			tag := s[i+1 : i+end]
			switch {
			case strings.Contains(tag, "://") || strings.HasPrefix(tag, "mailto:"):
				links = append(links, tag)
				if !strings.HasPrefix(tag, "a ") && !strings.Contains(tag, "=\"") {
					b.WriteString(tag)
				}
			case tag == "" || !(lexicon.IsLetter(tag[0]) || tag[0] == '/' || tag[0] == '!' || tag[0] == '?'):
				b.WriteByte('<')
				end = 0
			case strings.HasPrefix(strings.ToLower(tag), "br") || strings.HasPrefix(tag, "/"):
				if strings.HasPrefix(strings.ToLower(tag), "br") {
					b.WriteByte(' ')
				}
			}
			i += end + 1
		case c == '&':
			end := strings.IndexByte(s[i:min(len(s), i+12)], ';')
			if end < 0 {
				b.WriteByte('&')
				i++
				break
			}
			b.WriteString(html.UnescapeString(s[i : i+end+1]))
			i += end + 1
		case c == '{' && strings.HasPrefix(s[i:], "{{"): // a shortcode of a site generator
			if end := strings.Index(s[i:min(len(s), i+1024)], "}}"); end > 0 {
				b.WriteString(tracked(s[i : i+end]))
				i += end + 2
			} else {
				b.WriteByte('{')
				i++
			}
		default:
			b.WriteByte(c)
			i++
		}
	}
	text = b.String()
	if strings.Contains(text, "://") {
		links = append(links, bareLinks(text)...)
	}
	return text, links
}

// tracked is the time in a shortcode that status pages in files end an update with: {{< track "2018-04-13 16:50:00" >}}.
func tracked(shortcode string) string {
	name, at, ok := strings.Cut(strings.Trim(shortcode, "{}<>% "), " ")
	if !ok || name != "track" {
		return ""
	}
	return " " + strings.Trim(at, "\"'` ")
}

// closing is the index of what closes the bracket at s[i], counting nested ones; -1 where it is not near.
func closing(s string, i int) int {
	o, c := s[i], byte(')')
	if o == '[' {
		c = ']'
	}
	depth := 0
	for j := i; j < len(s) && j < i+2048; j++ {
		switch s[j] {
		case o:
			depth++
		case c:
			if depth--; depth == 0 {
				return j
			}
		}
	}
	return -1
}

func bareLinks(s string) (links []string) {
	for _, f := range strings.Fields(s) {
		if strings.Contains(f, "://") && len(links) < 50 {
			links = append(links, strings.Trim(f, "()<>,."))
		}
	}
	return links
}
