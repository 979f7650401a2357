package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// change is one small change, behind its switch.
type change struct {
	id   int
	file string
	line int
	what string
}

// edit is a text to put in at a place of a file.
type edit struct {
	at    int
	order int // of those at one place: what closes comes before what opens, and of what opens the outer before the inner
	then  int
	text  string
}

// pkg is a package with its changes.
type pkg struct {
	dir     string
	name    string
	fset    *token.FileSet
	files   []*ast.File
	info    *types.Info
	types   *types.Package
	changes []change
	edits   map[string][]edit       // by path
	scales  map[types.Object][2]int // by constant, the changes that halve and double it
	imports map[string]string       // what a file calls the packages it imports, of the file at hand
}

// load reads a package without its tests, and finds its changes.
func load(dir string, constants bool) (*pkg, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := &pkg{dir: abs, fset: token.NewFileSet(), edits: map[string][]edit{},
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}, scales: map[types.Object][2]int{}}
	list, err := exec.Command("go", "list", "-f", "{{.Name}}{{range .GoFiles}} {{.}}{{end}}", dir).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", dir, err)
	}
	fields := strings.Fields(string(list))
	p.name = fields[0]
	for _, name := range fields[1:] {
		f, err := parser.ParseFile(p.fset, filepath.Join(abs, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		p.files = append(p.files, f)
	}
	lookup, err := exports(dir)
	if err != nil {
		return nil, err
	}
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", lookup)}
	if p.types, err = conf.Check(p.name, p.fset, p.files, p.info); err != nil {
		return nil, err
	}
	for _, f := range p.files {
		p.imports = map[string]string{}
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			p.imports[path] = ""
			if i.Name != nil {
				p.imports[path] = i.Name.Name
			}
		}
		for _, d := range f.Decls {
			switch fn, ok := d.(*ast.FuncDecl); {
			case ok && fn.Body != nil && constants:
				p.constants(fn.Body)
			case ok && fn.Body != nil:
				p.walk(fn.Body)
			}
		}
	}
	return p, nil
}

// exports finds what the compiler wrote of each package that this one needs.
func exports(dir string) (func(path string) (io.ReadCloser, error), error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", dir).Output()
	if err != nil {
		return nil, fmt.Errorf("go list -export %s: %w", dir, err)
	}
	of := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		of[path] = file
	}
	return func(path string) (io.ReadCloser, error) {
		if of[path] == "" {
			return nil, fmt.Errorf("nothing is known of %s", path)
		}
		return os.Open(of[path])
	}, nil
}

// add notes a change of what stands from a node's beginning to its end: what is written before it and after it, with %d for its
// number.
func (p *pkg) add(n ast.Node, what, before, after string) {
	pos, end := p.fset.Position(n.Pos()), p.fset.Position(n.End())
	id := len(p.changes) + 1
	p.changes = append(p.changes, change{id, filepath.Base(pos.Filename), pos.Line, what})
	put := func(s string) string {
		if strings.Contains(s, "%d") {
			return fmt.Sprintf(s, id)
		}
		return s
	}
	length := end.Offset - pos.Offset
	p.edits[pos.Filename] = append(p.edits[pos.Filename], edit{pos.Offset, 1<<20 - length, id, put(before)},
		edit{end.Offset, length - 1<<20, -id, put(after)})
}

// text is the source of a node.
func (p *pkg) text(n ast.Node) string {
	pos, end := p.fset.Position(n.Pos()), p.fset.Position(n.End())
	b, err := os.ReadFile(pos.Filename)
	if err != nil {
		return ""
	}
	return string(b[pos.Offset:end.Offset])
}

// brief is a text for a table.
func brief(s string) string {
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", "¦")
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// swapped are the comparisons and logic in whose place another one is tried.
var swapped = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
}

// walk finds the changes in a body.
func (p *pkg) walk(body ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			p.statements(n.List)
		case *ast.CaseClause:
			p.statements(n.Body)
			for _, b := range n.Body {
				p.walk(b)
			}
			for _, e := range n.List { // a constant in a case stays
				if p.info.Types[e].Value == nil && !p.info.Types[e].IsType() {
					p.walk(e)
				}
			}
			return false
		case *ast.CommClause:
			p.statements(n.Body)
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.ArrayType:
			return false
		case *ast.IfStmt:
			p.condition(n.Cond)
		case *ast.ForStmt:
			// A loop without an end finds nothing that its condition off by one does not.
		case *ast.BinaryExpr:
			p.binary(n)
		case *ast.KeyValueExpr:
			p.walk(n.Value)
			return false
		}
		if e, ok := n.(ast.Expr); ok && p.number(e) {
			return false
		}
		return true
	})
}

// binary tries another operator.
func (p *pkg) binary(n *ast.BinaryExpr) {
	to, ok := swapped[n.Op]
	if !ok || p.info.Types[n].Value != nil || !isPlainBool(p.info.Types[n].Type) {
		return
	}
	x, y := p.text(n.X), p.text(n.Y)
	p.add(n, brief(fmt.Sprintf("%s %s %s → %s", x, n.Op, y, to)), "mutated.bool(%d, func() bool { return ",
		fmt.Sprintf(" }, func() bool { return %s %s %s })", x, to, y))
}

func isPlainBool(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// condition tries the opposite of a condition that is no comparison, for whose opposite is tried where it stands.
func (p *pkg) condition(e ast.Expr) {
	if b, ok := e.(*ast.BinaryExpr); ok && swapped[b.Op] != 0 && b.Op != token.LAND && b.Op != token.LOR {
		return
	}
	if isPlainBool(p.info.Types[e].Type) {
		p.add(e, brief("!("+p.text(e)+")"), "mutated.not(%d, ", ")")
	}
}

// number tries a constant one more, or twice as much where it is large, and says whether the expression is one.
func (p *pkg) number(e ast.Expr) bool {
	tv := p.info.Types[e]
	if tv.Value == nil {
		return false
	}
	b, ok := tv.Type.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsUntyped != 0 || b.Info()&(types.IsInteger|types.IsFloat) == 0 || tv.Value.Kind() == constant.Unknown {
		return true
	}
	name := types.TypeString(tv.Type, func(other *types.Package) string {
		if other == p.types {
			return ""
		}
		return cmp.Or(p.imports[other.Path()], other.Name())
	})
	if named, ok := tv.Type.(*types.Named); ok && named.Obj().Pkg() != nil && named.Obj().Pkg() != p.types {
		if _, imported := p.imports[named.Obj().Pkg().Path()]; !imported {
			return true
		}
	}
	if inner := p.types.Scope().Innermost(e.Pos()); inner != nil {
		first, _, _ := strings.Cut(name, ".")
		switch _, o := inner.LookupParent(first, e.Pos()); o.(type) {
		case *types.TypeName, *types.PkgName:
		default: // a variable is called so here
			return true
		}
	}
	p.add(e, brief(p.text(e)+" is more"), "mutatedNumber(%d, "+strings.ReplaceAll(name, "%", "%%")+"(", "))")
	return true
}

// constants finds where constants of the package are used in a body.
func (p *pkg) constants(body ast.Node) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ArrayType:
			return false
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.CaseClause:
			for _, b := range n.Body {
				p.constants(b)
			}
			return false
		case *ast.Ident:
			p.constant(n)
		}
		return true
	})
}

// constant notes one use of a constant, which is halved or doubled there as everywhere.
func (p *pkg) constant(n *ast.Ident) {
	c, ok := p.info.Uses[n].(*types.Const)
	if !ok || c.Parent() != p.types.Scope() || types.Unalias(c.Type()) != c.Type() {
		return
	}
	if _, named := c.Type().(*types.Named); named && c.Type().String() != "time.Duration" { // one of several, not a size
		return
	}
	typ := types.Default(p.info.Types[n].Type) // inside of what is constant as a whole it has none yet
	if b, ok := typ.Underlying().(*types.Basic); !ok || b.Info()&(types.IsInteger|types.IsFloat) == 0 {
		return
	}
	name := types.TypeString(typ, func(other *types.Package) string {
		if other == p.types {
			return ""
		}
		return cmp.Or(p.imports[other.Path()], other.Name())
	})
	ids, seen := p.scales[c]
	if !seen {
		pos := p.fset.Position(c.Pos())
		for i, what := range []string{" halved", " doubled"} {
			ids[i] = len(p.changes) + 1
			p.changes = append(p.changes, change{ids[i], filepath.Base(pos.Filename), pos.Line, brief(c.Name() + what)})
		}
		p.scales[c] = ids
	}
	pos, end := p.fset.Position(n.Pos()), p.fset.Position(n.End())
	p.edits[pos.Filename] = append(p.edits[pos.Filename],
		edit{pos.Offset, 1<<20 - len(n.Name), ids[0], fmt.Sprintf("mutatedScale(%d, %d, %s(", ids[0], ids[1], name)},
		edit{end.Offset, len(n.Name) - 1<<20, -ids[0], "))"})
}

// statements tries to leave out each of some statements.
func (p *pkg) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt:
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		case *ast.BranchStmt:
			if s.Tok == token.GOTO || s.Tok == token.FALLTHROUGH {
				continue
			}
		default:
			continue
		}
		p.add(s, brief("without "+p.text(s)), "if mutated.there(%d) { ", " }")
	}
}

// write writes the changed files, and an overlay that puts them in the place of those that are there.
func (p *pkg) write(work string) error {
	overlay := map[string]string{}
	for path, edits := range p.edits {
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(a.at-b.at, a.order-b.order, a.then-b.then) })
		var out strings.Builder
		from := 0
		for _, e := range edits {
			out.Write(source[from:e.at])
			out.WriteString(e.text)
			from = e.at
		}
		out.Write(source[from:])
		overlay[path] = filepath.Join(work, filepath.Base(path))
		if err := os.WriteFile(overlay[path], []byte(out.String()), 0o600); err != nil {
			return err
		}
	}
	switches := filepath.Join(work, "mutated_switches.go")
	overlay[filepath.Join(p.dir, "mutated_switches.go")] = switches
	if err := os.WriteFile(switches, []byte(strings.Replace(switchText, "PACKAGE", p.name, 1)), 0o600); err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "overlay.json"), text, 0o600)
}

// switchText is the file that is added to the package: the switches.
const switchText = `package PACKAGE

import (
	"os"
	"strconv"
	"sync/atomic"
)

type mutatedSwitch struct {
	id    int
	log   *os.File
	known [1 << 15]atomic.Bool
}

var mutated = func() *mutatedSwitch {
	m := &mutatedSwitch{}
	if s := os.Getenv("` + switchOf + `"); s == "reached" {
		m.log, _ = os.OpenFile(os.Getenv("` + switchOf + `_REACHED"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	} else {
		m.id, _ = strconv.Atoi(s)
	}
	return m
}()

func (m *mutatedSwitch) on(id int) bool {
	if m == nil { // while the package's variables are made
		return false
	}
	if m.log != nil && !m.known[id].Load() && !m.known[id].Swap(true) {
		_, _ = m.log.WriteString(strconv.Itoa(id) + "\n")
	}
	return m.id == id
}

func (m *mutatedSwitch) bool(id int, as, other func() bool) bool {
	if m.on(id) {
		return other()
	}
	return as()
}

func (m *mutatedSwitch) not(id int, b bool) bool { return b != m.on(id) }

func (m *mutatedSwitch) there(id int) bool { return !m.on(id) }

type mutatedKind interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64
}

func mutatedNumber[T mutatedKind](id int, n T) T {
	if !mutated.on(id) {
		return n
	}
	if n > 100 {
		return n + n
	}
	return n + 1
}

func mutatedScale[T mutatedKind](half, double int, n T) T {
	switch {
	case mutated.on(half):
		return n / 2
	case mutated.on(double):
		return n + n
	}
	return n
}
`
