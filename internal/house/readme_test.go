package house

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

func TestProgramsInTheDocsCompile(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, page := range append(pages, filepath.Join(root(t), "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range goBlock.FindAllSubmatch(text, -1) {
			programs++
			file := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(file, block[1], 0o600); err != nil {
				t.Fatal(err)
			}
			vet := exec.Command("go", "vet", file)
			vet.Dir = root(t)
			if out, err := vet.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", page, err, out)
			}
		}
	}
	if programs == 0 {
		t.Error("there is no program in the docs")
	}
}

// shownBlock is code in the page about Angular, below a comment that says whose it is.
var (
	webBlock   = regexp.MustCompile("(?s)```(?:ts|html)\n(.*?)```")
	shownBlock = regexp.MustCompile("(?s)<!-- (web/[^ ]+|ng add writes [^ ]+) -->\n```(?:ts|html)\n(.*?)```")
	indents    = regexp.MustCompile(`(?m)^[ \t]+`)
)

// What ng add writes its own test compares.
func TestTheAngularPageShowsCodeThatIsCompiled(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "angular.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown := shownBlock.FindAllSubmatch(text, -1)
	if all := len(webBlock.FindAll(text, -1)); all == 0 || len(shown) != all {
		t.Errorf("%d of %d blocks say whose code they are", len(shown), all)
	}
	for _, block := range shown {
		file := string(block[1])
		if strings.HasPrefix(file, "ng add ") {
			continue
		}
		code, err := os.ReadFile(filepath.Join(root(t), file))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Contains(indents.ReplaceAll(code, nil), indents.ReplaceAll(block[2], nil)) {
			t.Errorf("%s has no such lines:\n%s", file, block[2])
		}
	}
}
