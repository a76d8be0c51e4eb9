package resource

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/keywright/keywright"

func goCommand(t *testing.T, directory string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", arguments...)
	command.Dir = directory
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOPROXY=off")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

func TestOnlyJoseAndTheStandardLibraryAreImported(t *testing.T) {
	// What is in the standard library has no dot before its first slash.
	for path := range strings.FieldsSeq(goCommand(t, ".", "list", "-deps", ".")) {
		root, _, _ := strings.Cut(path, "/")
		if strings.Contains(root, ".") && path != module+"/resource" && path != module+"/internal/jose" {
			t.Errorf("imports %s", path)
		}
	}
}

func TestAnotherModuleCanUseThePackage(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"go.mod": "module example.com/api\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n",
		"go.sum": string(sums),
		"main.go": `package main

import (
	"log"
	"net/http"

	"` + module + `/resource"
)

func main() {
	api, err := resource.New("https://id.example.com", "https://api.example.com")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("GET /", api.Require("orders:read").Handler(http.NotFoundHandler()))
}
`,
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	goCommand(t, directory, "build", "-mod=mod", "-o", filepath.Join(directory, "api"), ".")
	imported := goCommand(t, directory, "list", "-mod=mod", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	for path := range strings.FieldsSeq(imported) {
		if path != module && path != "example.com/api" {
			t.Errorf("code of module %s is built in", path)
		}
	}
}
