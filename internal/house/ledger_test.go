package house

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)

func TestLedgersNameTestsThatExist(t *testing.T) {
	exists := map[string]bool{}
	eachFile(t, func(path string, file *ast.File, _ *token.FileSet, _ []byte) {
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && strings.HasSuffix(path, "_test.go") {
				exists[f.Name.Name] = true
			}
		}
	})
	ledgers, err := filepath.Glob(filepath.Join(root(t), "spec", "*.md"))
	if err != nil || len(ledgers) == 0 {
		t.Fatal("there are no ledgers", err)
	}
	for _, ledger := range ledgers {
		text, err := os.ReadFile(ledger)
		if err != nil {
			t.Fatal(err)
		}
		for number, line := range strings.Split(string(text), "\n") {
			names := testName.FindAllString(line, -1)
			for _, name := range names {
				if !exists[name] {
					t.Errorf("%s:%d: there is no %s", filepath.Base(ledger), number+1, name)
				}
			}
			if strings.HasPrefix(line, "| ") && len(names) == 0 && !strings.Contains(line, "not yet: ") && !strings.Contains(line, "by type: ") && !strings.Contains(line, "| proof |") {
				t.Errorf("%s:%d: neither a test nor what is missing", filepath.Base(ledger), number+1)
			}
		}
	}
}
