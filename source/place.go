package source

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Place is how far several lists are read that follow each other, such as those of repositories, each in order of the time that it
// is asked by, oldest first. It is what Page.Next is for connectors of such vendors.
type Place struct {
	// List is the number of the list, from 0.
	List int
	// Since is from when on the list is asked for; zero is from the beginning.
	Since time.Time
	// Page is the vendor's own word for a further page of that question; empty is the first.
	Page string
}

// ParsePlace reads what String wrote. Nothing is the first page of the first list.
func ParsePlace(next string) Place {
	var p Place
	number, rest, _ := strings.Cut(next, " ")
	p.List, _ = strconv.Atoi(number)
	since, page, _ := strings.Cut(rest, " ")
	if at, err := time.Parse(time.RFC3339, since); err == nil {
		p.Since, p.Page = at, page
	} else {
		p.Page = rest
	}
	return p
}

// String is for Page.Next.
func (p Place) String() string {
	since := ""
	if !p.Since.IsZero() {
		since = " " + p.Since.UTC().Format(time.RFC3339)
	}
	if p.Page != "" {
		return fmt.Sprintf("%d%s %s", p.List, since, p.Page)
	}
	return fmt.Sprintf("%d%s", p.List, since)
}

// After is where reading goes on after a page: from the time of its last item on, since what changes meanwhile moves to the end of
// its list, and no number of a page is right then. Only where all of a page is of one second, the vendor's next page is asked for.
// from is since when the page was asked for, next the vendor's word for the next page, lists how many lists there are. Empty is
// the end.
func (p Place) After(from, last time.Time, next string, lists int) string {
	last = last.Truncate(time.Second)
	switch {
	case next != "" && last.After(from):
		return Place{List: p.List, Since: last}.String()
	case next != "":
		return Place{List: p.List, Since: p.Since, Page: next}.String()
	case p.List+1 < lists:
		return Place{List: p.List + 1}.String()
	}
	return ""
}
