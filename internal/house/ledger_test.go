package house

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	webTest  = regexp.MustCompile(`([\w-]+\.spec\.ts): "([^"]+)"`) // its file and what it says
)

func TestLedgersNameTestsThatExist(t *testing.T) {
	exists := map[string]bool{}
	eachFile(t, func(path string, file *ast.File, _ *token.FileSet, _ []byte) {
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && strings.HasSuffix(path, "_test.go") {
				exists[f.Name.Name] = true
			}
		}
	})
	specs := webSpecs(t)
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
			for _, test := range webTest.FindAllStringSubmatch(line, -1) {
				names = append(names, test[0])
				if !strings.Contains(specs[test[1]], test[2]) {
					t.Errorf("%s:%d: there is no %s", filepath.Base(ledger), number+1, test[0])
				}
			}
			if strings.HasPrefix(line, "| ") && len(names) == 0 && !strings.Contains(line, "not yet: ") && !strings.Contains(line, "by type: ") && !strings.Contains(line, "| proof |") {
				t.Errorf("%s:%d: neither a test nor what is missing", filepath.Base(ledger), number+1)
			}
		}
	}
}

// webSpecs returns the texts of the tests in TypeScript by the names of their files.
func webSpecs(t *testing.T) map[string]string {
	t.Helper()
	specs := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root(t), "web"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".spec.ts") {
			if entry != nil && entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		specs[entry.Name()] += string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return specs
}
