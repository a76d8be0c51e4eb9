package house

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/keywright/keywright/"

// mayImport lists, for each package, what it may import of ours.
var mayImport = map[string][]string{
	"internal/change":   {},
	"internal/jose":     {},
	"internal/outbound": {},
	"internal/pages":    {},
	"internal/password": {},
	"internal/settings": {},
	"internal/oauth":    {"internal/change"},
	"internal/account":  {"internal/change"},
	"internal/store":    {"internal/oauth", "internal/account", "internal/change"},
	"internal/random":   {"internal/oauth"},
	"internal/keyring":  {"internal/oauth", "internal/change", "internal/jose", "internal/store"},
	"internal/operator": {"internal/oauth", "internal/account", "internal/change", "internal/jose", "internal/keyring", "internal/password", "internal/random", "internal/store"},
	"internal/server": {
		"internal/oauth", "internal/account", "internal/change", "internal/jose", "internal/keyring", "internal/operator", "internal/outbound",
		"internal/pages", "internal/password", "internal/random", "internal/store",
	},
	"internal/store/storetest": {"internal/store"},
	"internal/house":           {},
	"resource":                 {"internal/jose"},
	"examples/api":             {"resource"},
	"web":                      {},
	"cmd/keywright": {
		"internal/server", "internal/operator", "internal/keyring", "internal/settings", "internal/store", "internal/oauth", "internal/account", "internal/jose",
		"internal/outbound", "internal/pages", "internal/password", "web",
	},
}

// mayNotImport lists what would let a package do another's work.
var mayNotImport = map[string][]string{
	"internal/oauth":   impure,
	"internal/account": impure,
	"internal/change":  impure,
	"internal/server":  {"database/sql"},
}

// impure is what a decider cannot have: it is given facts, time and randomness.
var impure = []string{"context", "net", "net/http", "database/sql", "os", "log", "log/slog", "crypto/rand", "math/rand", "math/rand/v2"}

type goPackage struct {
	ImportPath string
	Imports    []string
	Doc        string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Imports,Doc", "./...")
	list.Dir = root(t)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func root(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(name, "bench/") || name == "e2e" {
			continue // programs and tests of the whole
		}
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("%s has no row in mayImport", name)
		}
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
			if slices.Contains(mayNotImport[name], imported) {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && !strings.HasSuffix(p.ImportPath, "/house") {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// eachFile parses every Go file of ours.
func eachFile(t *testing.T, visit func(path string, file *ast.File, fset *token.FileSet, source []byte)) {
	t.Helper()
	top := root(t)
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != top) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
		if err != nil {
			return err
		}
		relative, _ := filepath.Rel(top, path)
		visit(filepath.ToSlash(relative), file, fset, source)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	maxFileLines     = 600
	maxFunctionLines = 65
)

// larger holds what may be larger, with the reason.
var larger = map[string]string{
	"internal/store/apply.go:apply": "one case for each change",
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	eachFile(t, func(path string, file *ast.File, fset *token.FileSet, source []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		if lines := strings.Count(string(source), "\n"); lines > maxFileLines && larger[path] == "" {
			t.Errorf("%s has %d lines, more than %d", path, lines, maxFileLines)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line
			if lines > maxFunctionLines && larger[path+":"+f.Name.Name] == "" {
				t.Errorf("%s: %s has %d lines, more than %d", path, f.Name.Name, lines, maxFunctionLines)
			}
		}
	})
}

// lies are words that say nothing about what a thing does.
var lies = []string{"Manager", "Service", "Provider", "Helper", "Util", "Common", "Impl"}

func TestNamesSayWhatThingsDo(t *testing.T) {
	eachFile(t, func(path string, file *ast.File, _ *token.FileSet, _ []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, declaration := range file.Decls {
			for _, name := range declared(declaration) {
				for _, lie := range lies {
					if strings.HasSuffix(name, lie) {
						t.Errorf("%s: %s", path, name)
					}
				}
			}
		}
	})
}

func declared(declaration ast.Decl) (names []string) {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		names = append(names, d.Name.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if s, ok := spec.(*ast.TypeSpec); ok {
				names = append(names, s.Name.Name)
			}
		}
	}
	return names
}

func TestDecidersNeverReadTheClock(t *testing.T) {
	eachFile(t, func(path string, file *ast.File, fset *token.FileSet, _ []byte) {
		if !strings.HasPrefix(path, "internal/oauth/") && !strings.HasPrefix(path, "internal/account/") || strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if of, ok := call.X.(*ast.Ident); ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After"}, call.Sel.Name) {
				t.Errorf("%s reads the clock", fset.Position(call.Pos()))
			}
			return true
		})
	})
}

// engineText are the only values that may be joined to a statement.
var engineText = []string{"forUpdate", "lock", "userColumns", "clientColumns", "grantColumns", "sessionColumns", "sessionLifeColumns", "personColumns", "keep", "isDead"}

func TestStatementsAreConstantText(t *testing.T) {
	eachFile(t, func(path string, file *ast.File, fset *token.FileSet, _ []byte) {
		if !strings.HasPrefix(path, "internal/store/") || strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			binary, ok := n.(*ast.BinaryExpr)
			if !ok || binary.Op != token.ADD || !isStatement(binary) {
				return true
			}
			ast.Inspect(binary, func(n ast.Node) bool {
				if name, ok := n.(*ast.Ident); ok && !slices.Contains(append(engineText, "tx", "r", "db", "engine"), name.Name) {
					t.Errorf("%s joins %s to a statement", fset.Position(name.Pos()), name.Name)
				}
				return true
			})
			return false
		})
	})
}

func isStatement(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			for _, verb := range []string{"SELECT ", "INSERT ", "UPDATE ", "DELETE "} {
				found = found || strings.HasPrefix(strings.TrimLeft(text.Value, "`\""), verb)
			}
		}
		return true
	})
	return found
}

// npm leaves out optional packages that want a newer Node than its own: Debian's
// would bring no native part of the build tools, which run on the Node in the lock.
func TestOptionalPackagesWantNoNewNode(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "web", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			Optional bool
			Engines  any
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	for name, p := range lock.Packages {
		engines, _ := p.Engines.(map[string]any)
		if node, _ := engines["node"].(string); p.Optional && strings.HasPrefix(node, "^2") {
			t.Errorf("%s wants Node %s: take its engines out of package-lock.json", name, node)
		}
	}
}
